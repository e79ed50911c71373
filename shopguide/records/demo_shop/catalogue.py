"""The products of the demo shop: what they are, and what their sellers write about them."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from shopguide.records.demo_shop.reviews import draw_fit, write_reviews
from shopguide.records.demo_shop.taxonomy import ADJECTIVES, CATEGORIES, COLOURS, MATERIALS, Category
from shopguide.records.demo_shop.words import Vocabulary

ERRORS = 0.03
"""Share of wrong labels, for each label: sellers err."""
SAYS = {"brand": 0.92, "colour": 0.9, "material": 0.85}
"""How often the text tells an attribute."""
TARGETS = ("category", "brand", "colour", "material")


@dataclass(frozen=True)
class Product:
    """A product as it is; `row` is what its seller wrote."""

    item_id: str
    category: Category
    true: dict[str, str]
    """Target → what it is."""
    best: dict[str, str]
    """Target → what a perfect reader of the text would say."""
    price_level: float
    """Price over the category's middle, as a logarithm."""
    fit: str
    """How large it turns out: buyers tell."""
    row: dict[str, object]


def make_products(vocabulary: Vocabulary, count: int, seed: int) -> Iterator[Product]:
    """Products number 1 to `count`; each depends on the seed and its number alone."""
    for number in range(1, count + 1):
        heard = random.Random(f"reviews {seed} {number}")
        yield _product(vocabulary, number, random.Random(f"product {seed} {number}"), heard)


def _product(vocabulary: Vocabulary, number: int, draw: random.Random, heard: random.Random) -> Product:
    # Every category has products, the wanted ones more.
    category = CATEGORIES[number // 2 % len(CATEGORIES)] if number % 2 else vocabulary.draw_category(draw)
    language = draw.choice(("en", "zh"))
    brand, brand_zh = draw.choice(vocabulary.brands[category.department])
    true = {
        "category": category.path,
        "brand": brand,
        "colour": draw.choice(list(COLOURS)),
        "material": draw.choices(category.materials, [3, 2, 1, 1][: len(category.materials)])[0],
    }
    said = {name: draw.random() < share for name, share in SAYS.items()}
    unsaid = {"brand": brand, "colour": "black", "material": category.materials[0]}
    best = {name: true[name] if name == "category" or said[name] else unsaid[name] for name in TARGETS}
    if not said["brand"]:
        # The series, which is always told, is this brand's alone in this category.
        best["brand"] = brand
    level = draw.gauss(0, 0.45)
    series = draw.choice(vocabulary.series[category.path, brand])
    names = {"brand": brand_zh if language == "zh" and draw.random() < 0.7 else brand, "series": series}
    title, description = _texts(category, language, names, true, said, draw)
    row: dict[str, object] = {
        "item_id": f"I{number:06}",
        "title": title,
        "description": description,
        "category": _observed("category", true, category, vocabulary, draw),
        "attributes": {n: _observed(n, true, category, vocabulary, draw) for n in TARGETS if n != "category"},
        "price": round(category.price * 2.718281828**level, 2),
    }
    fit = draw_fit(heard)
    return Product(f"I{number:06}", category, true, best, level, fit, row | {"reviews": write_reviews(fit, heard)})


def _observed(name: str, true: dict[str, str], category: Category, vocabulary: Vocabulary, draw: random.Random) -> str:
    """The label as the seller gives it."""
    if draw.random() >= ERRORS:
        return true[name]
    choices = {
        "category": [c.path for c in CATEGORIES],
        "brand": [brand for brand, _ in vocabulary.brands[category.department]],
        "colour": list(COLOURS),
        "material": list(category.materials),
    }
    return draw.choice([value for value in choices[name] if value != true[name]])


def _texts(
    category: Category,
    language: str,
    names: dict[str, str],
    true: dict[str, str],
    said: dict[str, bool],
    draw: random.Random,
) -> tuple[str, str]:
    """Title and description. Each attribute that is told stands in one of them."""
    chinese = language == "zh"
    colour = COLOURS[true["colour"]][chinese]
    material = MATERIALS[true["material"]] if chinese else true["material"]
    noun, other = (draw.choice(category.nouns[language]) for _ in range(2))
    uses = draw.sample(category.uses[language], 3)
    adjective = draw.choice(ADJECTIVES[language])
    in_title = {name: said[name] and draw.random() < 0.75 for name in ("colour", "material")}
    head = [names["brand"]] * said["brand"] + [names["series"]]
    middle = [adjective] + [material] * in_title["material"]
    tail = [colour] * in_title["colour"]
    if chinese:
        title = " ".join(head) + " " + "".join([*middle, uses[0] * (draw.random() < 0.3), noun]) + " ".join(["", *tail])
        facts = [f"{colour}款"] * (said["colour"] and not in_title["colour"])
        facts += [f"采用{material}"] * (said["material"] and not in_title["material"])
        lines = [
            f"{names['series']}{other}，{'，'.join(uses)}",
            *facts,
            draw.choice(("支持七天退换", "顺丰发货", "正品保证")),
        ]
        return title, "。".join(lines) + "。"
    title = " ".join([*head, *draw.sample(middle, len(middle)), noun, *tail])
    facts = [f"Comes in {colour}."] * (said["colour"] and not in_title["colour"])
    facts += [f"Made of {material}."] * (said["material"] and not in_title["material"])
    listed = ", ".join(uses)
    opening = draw.choice((f"This {other}: {listed}.", f"{listed.capitalize()}: our {other} does it all."))
    return title, " ".join([opening, *facts, draw.choice(("Free returns.", "Ships today.", "Two years of warranty."))])
