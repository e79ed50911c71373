"""A small drawn picture of each product of the demo shop: form by category, colour and pattern by attribute."""

from shopguide.records.demo_shop.taxonomy import MATERIALS

FORMS = {
    "electronics/smartphone": "M7 2h10v20H7z M11 19h2",
    "electronics/laptop": "M5 4h14v11H5z M2 16h20l-2 3H4z",
    "electronics/tablet": "M3 4h18v16H3z M19 11v2",
    "electronics/headphones": "M4 14a8 8 0 0 1 16 0h-2a6 6 0 0 0-12 0z M3 14h4v7H3z M17 14h4v7h-4z",
    "electronics/smartwatch": "M9 1h6v5H9z M6 6h12v12H6z M9 18h6v5H9z",
    "electronics/camera": "M2 7h5l2-3h6l2 3h5v13H2z M12 9a4 4 0 1 0 0 8a4 4 0 1 0 0-8",
    "clothing/dress": "M9 2h2l1 2l1-2h2l-1 7l5 13H5l5-13z",
    "clothing/jacket": "M8 2h8l6 5l-2 11h-3V11v11H7V11v7H4L2 7z M12 2v20",
    "clothing/t_shirt": "M8 3c2 2 6 2 8 0l6 4l-3 4l-2-1v11H7V10l-2 1l-3-4z",
    "clothing/jeans": "M6 2h12l1 20h-5l-2-13l-2 13H5z",
    "clothing/underwear": "M2 7h20l-2 7l-6 4l-2 2l-2-2l-6-4z",
    "shoes/hiking_boots": "M6 2h7v10l8 3v5H6z M5 20h17v2H5z",
    "shoes/running_shoes": "M2 10l4 1l4-4l5 6l7 2v4H2z M2 19h20v2H2z",
    "shoes/casual_shoes": "M3 9h6l4 4l8 2v4H3z M9 9l-1 4",
    "shoes/sandals": "M2 16h20v4H2z M7 16c0-8 10-8 10 0z",
    "beauty/lipstick": "M9 10V5l6-3v8z M8 10h8v12H8z",
    "beauty/sunscreen": "M8 2h8v4H8z M6 6h12l-2 16H8z",
    "beauty/face_cream": "M5 7h14v3H5z M4 10h16v9a2 2 0 0 1-2 2H6a2 2 0 0 1-2-2z",
    "beauty/shampoo": "M10 2h5v2h-3v3h3v3h2v12H7V10h2V7h1z",
    "home/rice_cooker": "M4 9h16v9a3 3 0 0 1-3 3H7a3 3 0 0 1-3-3z M4 8a8 5 0 0 1 16 0z",
    "home/sofa": "M4 6h16v6h2v8H2v-8h2z M6 12h12",
    "home/desk_lamp": "M6 20h12v2H6z M11 10h2v10h-2z M6 10l3-8h6l3 8z",
    "home/bedding": "M2 8h20v11H2z M4 5h7v5H4z M13 5h7v5h-7z",
    "home/vacuum_cleaner": "M12 6a7 7 0 1 0 0 14a7 7 0 1 0 0-14 M12 11a2 2 0 1 0 0 4a2 2 0 1 0 0-4 M11 2h2v4h-2z",
    "sports/yoga_mat": "M2 15h17v4H2z M19 17a3 3 0 1 0 0-6a3 3 0 1 0 0 6",
    "sports/tent": "M12 3L23 21H1z M12 11l4 10H8z",
    "sports/backpack": "M9 2h6v3h3v17H6V5h3z M8 13h8v6H8z",
    "sports/dumbbell": "M2 8h4v8H2z M6 11h12v2H6z M18 8h4v8h-4z",
    "food/tea": "M3 8h14v6a6 6 0 0 1-6 6H9a6 6 0 0 1-6-6z M17 9h3a2 2 0 0 1 0 5h-3z",
    "food/snacks": "M5 3l2 2l2-2l2 2l2-2l2 2l2-2l2 2v17l-2-1l-2 1l-2-1l-2 1l-2-1l-2 1l-2-1z",
    "food/coffee": "M6 3h12v3H6z M6 6h12l-1 16H7z M8 11h8v6H8z",
    "baby/stroller": "M4 4a9 9 0 0 1 9 9H4z M13 13h6V9h2v6H4v-2z M7 17a2 2 0 1 0 0 4a2 2 0 1 0 0-4 "
    "M17 17a2 2 0 1 0 0 4a2 2 0 1 0 0-4",
    "baby/diapers": "M2 6h20v5c-4 0-6 3-7 8H9c-1-5-3-8-7-8z",
    "baby/toy": "M4 13h7v8H4z M13 13h7v8h-7z M8 4h8v8H8z",
}  # fmt: skip
"""Category → its outline on a field of 24 by 24."""
SHADES = {
    "black": "#2b2b2b", "white": "#f4f4f0", "red": "#c8372d", "blue": "#2f6db5", "green": "#3f8f57",
    "grey": "#8c9196", "pink": "#e58fb0", "beige": "#d9c3a0", "purple": "#7a55a6", "yellow": "#e8c02f",
}  # fmt: skip
PATTERNS = (
    "",
    '<path d="M0 4h4" stroke="#fff8"/>',
    '<path d="M4 0v4" stroke="#0003"/>',
    '<path d="M0 4l4-4" stroke="#fff8"/>',
    '<circle cx="2" cy="2" r=".8" fill="#fff9"/>',
    '<path d="M0 2h4M2 0v4" stroke="#0002"/>',
)


def picture(category: str, colour: str, material: str) -> str:
    """The picture as SVG.

    Args:
        category: its path.
        colour: a label.
        material: a label, which the pattern stands for.
    """
    pattern = PATTERNS[list(MATERIALS).index(material) % len(PATTERNS)]
    form = FORMS[category]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 28 28" width="280" height="280">'
        f'<defs><pattern id="p" width="4" height="4" patternUnits="userSpaceOnUse">{pattern}</pattern></defs>'
        '<rect x="-2" y="-2" width="28" height="28" fill="#eef1f4"/>'
        f'<path d="{form}" fill="{SHADES[colour]}" stroke="#4448" stroke-width=".5" stroke-linejoin="round"/>'
        f'<path d="{form}" fill="url(#p)"/></svg>\n'
    )
