"""What buyers of the demo shop's products write: opinions, and how large a product turns out, which only they tell."""

import random
from collections.abc import Sequence

from shopguide.records.demo_shop.taxonomy import LANGUAGES

FITS: dict[str, dict[str, tuple[str, ...]]] = {
    "small": {"en": ("It runs small", "A bit small, take the next size"), "zh": ("偏小", "有点偏小，建议买大一号")},
    "true": {"en": ("It is true to size", "True to size, as I thought"), "zh": ("大小正好", "大小正好，和描述一样")},
    "large": {"en": ("It runs large", "A bit large, take the size below"), "zh": ("偏大", "有点偏大，建议买小一号")},
}
"""How large it is → language → what is said of it; the first is what the shop says."""
OPINIONS = {
    "en": (
        "Arrived in two days",
        "Nicely packed",
        "Would buy again",
        "My sister loves it",
        "As good as new after a month",
    ),
    "zh": ("两天就到了", "包装很好", "会回购", "妹妹很喜欢", "用了一个月还像新的"),
}
MOST = 3


def draw_fit(draw: random.Random) -> str:
    """How large a product is: for most as it should be."""
    return draw.choices(list(FITS), (2, 5, 2))[0]


def write_reviews(fit: str, draw: random.Random) -> list[str]:
    """At most three, each in a language of its own; the first one tells how large it is."""
    return [_review(FITS[fit] if not number else None, draw) for number in range(draw.randint(1, MOST))]


def _review(told: dict[str, tuple[str, ...]] | None, draw: random.Random) -> str:
    language = draw.choice(LANGUAGES)
    parts: Sequence[str] = [draw.choice(OPINIONS[language])]
    if told is not None:
        parts = draw.sample([*parts, draw.choice(told[language])], 2)
    return "。".join([*parts, ""]) if language == "zh" else " ".join(f"{part}." for part in parts)
