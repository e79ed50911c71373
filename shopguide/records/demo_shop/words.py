"""The language of the demo shop: which words are said of a category, how often, and what they tell of it.

A query's words are drawn given its category alone, so that P(category | words) is known exactly: it is the ceiling for
every model that reads queries.
"""

import random
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from shopguide.records.demo_shop.taxonomy import BRANDS, CATEGORIES, Category

SERIES_A_LINE = 2
"""Series of one brand in one category."""
SYLLABLES = (
    "ar", "be", "cor", "da", "el", "fin", "go", "hal", "io", "ka",
    "lu", "mo", "na", "or", "pe", "ri", "sol", "ta", "ul", "vex",
)  # fmt: skip
SHARED_SERIES = ("Pro Max", "Lite", "Air", "Ultra", "Classic")
"""Names that every brand uses: alone they tell little."""


def zipf(count: int, exponent: float = 1.1) -> list[float]:
    """Shares of words in order of frequency."""
    raw = [1 / (rank + 1) ** exponent for rank in range(count)]
    return [share / sum(raw) for share in raw]


@dataclass(frozen=True)
class Vocabulary:
    """All words of one shop; series names follow its seed."""

    seed: int

    @cached_property
    def brands(self) -> dict[str, list[tuple[str, str]]]:
        """Department → (Latin, Chinese) brand names."""
        return {d: [tuple(b.split(" ", 1)) for b in text.split("|")] for d, text in BRANDS.items()}  # type: ignore[misc]

    @cached_property
    def series(self) -> dict[tuple[str, str], list[str]]:
        """(Category path, brand) → the names of its series: in Latin letters, in Chinese texts too."""
        draw = random.Random(f"series {self.seed}")
        table = {}
        for category in CATEGORIES:
            for brand, _ in self.brands[category.department]:
                table[category.path, brand] = [_series(draw) for _ in range(SERIES_A_LINE)]
        return table

    @cached_property
    def prior(self) -> dict[str, float]:
        """Path → share of the shoppers' needs."""
        draw = random.Random(f"prior {self.seed}")
        order = draw.sample([c.path for c in CATEGORIES], len(CATEGORIES))
        return dict(zip(order, zipf(len(order), 0.45), strict=True))

    @cached_property
    def _likelihood(self) -> dict[tuple[str, str], dict[str, float]]:
        """(Kind, word) → path → P(word | category, kind of word)."""
        table: dict[tuple[str, str], dict[str, float]] = {}

        def add(kind: str, word: str, path: str, share: float) -> None:
            own = table.setdefault((kind, word), {})
            own[path] = own.get(path, 0.0) + share

        for category in CATEGORIES:
            for words, kind in ((category.nouns, "noun"), (category.uses, "use")):
                for language in words:
                    for word, share in zip(words[language], _shares(kind, len(words[language])), strict=True):
                        add(f"{kind} {language}", word, category.path, share)
            brands = self.brands[category.department]
            for brand, _ in brands:
                add("brand", brand, category.path, 1 / len(brands))
                for name in self.series[category.path, brand]:
                    add("series", name, category.path, 1 / (len(brands) * SERIES_A_LINE))
        return table

    def posterior(self, words: list[tuple[str, str]]) -> dict[str, float]:
        """Path → P(category | words), for words drawn given the category, each `(kind, word)`."""
        scores = dict(self.prior)
        for word in words:
            likelihood = self._likelihood[word]
            scores = {path: share * likelihood.get(path, 0.0) for path, share in scores.items()}
        total = sum(scores.values())
        return {path: share / total for path, share in scores.items() if share}

    def draw_category(self, draw: random.Random, departments: tuple[str, ...] | None = None) -> Category:
        """A category by the shoppers' needs, of one of the departments if given."""
        able = [c for c in CATEGORIES if departments is None or c.department in departments]
        return draw.choices(able, [self.prior[c.path] for c in able])[0]


def _shares(kind: str, count: int) -> list[float]:
    return zipf(count) if kind == "noun" else [1 / count] * count


def pick(draw: random.Random, kind: str, words: tuple[str, ...]) -> str:
    """A noun (common ones more often) or a use (each alike)."""
    return draw.choices(words, cum_weights=list(accumulate(_shares(kind, len(words)))))[0]


def _series(draw: random.Random) -> str:
    if draw.random() < 0.12:
        return draw.choice(SHARED_SERIES)
    name = "".join(draw.choices(SYLLABLES, k=draw.choice((2, 2, 3)))).capitalize()
    return name + (f" {draw.randint(2, 99)}" if draw.random() < 0.4 else "")
