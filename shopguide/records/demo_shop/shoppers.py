"""The shoppers of the demo shop: hidden tastes and needs, the queries they type, what they view and buy."""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass

from shopguide.records.demo_shop.catalogue import Product
from shopguide.records.demo_shop.taxonomy import BRANDS, COLOURS, CONFUSED, FILLERS, LANGUAGES, MATERIALS, Category
from shopguide.records.demo_shop.words import Vocabulary, pick

SESSIONS_A_USER = 4
DAY = 86_400.0
YEAR_BEGINS = 1_735_689_600.0
"""2025-01-01, UTC."""
ACTIVE_DAYS = 25.0
TYPING_ERRORS = 0.12
CURIOSITY = 0.10
"""Chance that a session strays to another category, and there half of the time buys."""
BUYS = {"fits": 0.72, "plain": 0.3, "misfit": 0.06}
"""Chance to buy what is viewed: it meets all that was asked for, nothing special was asked, it misses something."""


@dataclass(frozen=True)
class Shopper:
    """Hidden tastes."""

    user_id: str
    language: str
    """`en`, `zh` or `mixed`."""
    departments: tuple[str, ...]
    brands: frozenset[str]
    colours: frozenset[str]
    price_level: float


@dataclass(frozen=True)
class Session:
    """What a shopper did, and what they wanted."""

    row: dict[str, object]
    need: str
    """Category wanted."""
    wanted: dict[str, str]
    """Attribute → value asked for in the query."""
    best: str
    """Most likely category given the words of the query."""


class Market:
    """Draws sessions over a catalogue."""

    def __init__(self, vocabulary: Vocabulary, products: list[Product], seed: int) -> None:
        self.vocabulary, self.products, self.seed = vocabulary, products, seed
        self.by_category: dict[str, list[Product]] = {}
        for product in products:
            self.by_category.setdefault(product.category.path, []).append(product)

    def sessions(self, count: int) -> Iterator[Session]:
        """`count` sessions in the order of time. Shoppers come over a year, each stays some weeks.

        Memory holds the sessions of the shoppers who are there at one time.
        """
        users = max(1, count // SESSIONS_A_USER)
        waiting: list[tuple[float, int, Session]] = []
        made = 0
        for number in range(users):
            arrival = YEAR_BEGINS + 365 * DAY * number / users
            while waiting and waiting[0][0] <= arrival:
                yield heapq.heappop(waiting)[2]
            draw = random.Random(f"user {self.seed} {number}")
            shopper = _shopper(f"U{number + 1:07}", self.vocabulary, draw)
            # The last shopper makes up the number.
            most = count - made - (users - number - 1)
            own = most if number == users - 1 else min(draw.randint(1, 2 * SESSIONS_A_USER - 1), most)
            times = sorted(arrival + draw.random() * ACTIVE_DAYS * DAY for _ in range(own))
            for when in times:
                made += 1
                heapq.heappush(waiting, (when, made, self._session(shopper, when, draw)))
        while waiting:
            yield heapq.heappop(waiting)[2]

    def _session(self, shopper: Shopper, when: float, draw: random.Random) -> Session:
        departments = shopper.departments if draw.random() < 0.7 else None
        category = self.vocabulary.draw_category(draw, departments)
        while category.path not in self.by_category:
            category = self.vocabulary.draw_category(draw)
        query, wanted, best = self._query(shopper, category, draw)
        viewed, bought = self._choices(shopper, category, wanted, draw)
        row = {
            "user_id": shopper.user_id,
            "query": query,
            "viewed_items": [p.item_id for p in viewed],
            "purchased_items": [p.item_id for p in bought],
            "timestamp": round(when, 1),
        }
        return Session(row, category.path, wanted, best)

    def _query(self, shopper: Shopper, category: Category, draw: random.Random) -> tuple[str, dict[str, str], str]:
        """The words typed, the attributes they ask for, and the category that they most likely mean."""
        language = draw.choice(LANGUAGES) if shopper.language == "mixed" else shopper.language
        chinese = language == "zh"
        brand, brand_zh = draw.choice(self.vocabulary.brands[category.department])
        spoken = brand_zh if chinese and draw.random() < 0.7 else brand
        kind = draw.choices(("noun", "noun and wish", "use", "series", "brand"), (34, 32, 14, 15, 5))[0]
        words: list[tuple[str, str]] = []
        wanted: dict[str, str] = {}
        parts: list[str] = []
        if kind in ("noun", "noun and wish"):
            noun = pick(draw, "noun", category.nouns[language])
            words, parts = [(f"noun {language}", noun)], [noun]
        if kind == "noun and wish":
            wanted, said = self._wish(category, brand, spoken, chinese, draw)
            words += [("brand", brand)] * ("brand" in wanted)
            parts = [*said, *parts] if draw.random() < 0.8 else [*parts, *said]
        if kind == "use":
            use = pick(draw, "use", category.uses[language])
            words, parts = [(f"use {language}", use)], [use]
        if kind == "series":
            name = draw.choice(self.vocabulary.series[category.path, brand])
            with_brand = draw.random() < 0.4
            words = [("series", name)] + [("brand", brand)] * with_brand
            wanted, parts = {"brand": brand}, [spoken] * with_brand + [name]
        if kind == "brand":
            words, wanted, parts = [("brand", brand)], {"brand": brand}, [spoken]
        posterior = self.vocabulary.posterior(words)
        text = ("" if chinese and draw.random() < 0.6 else " ").join(parts)
        if draw.random() < 0.2:
            text = draw.choice(FILLERS[language]).format(text)
        return _typed(text, chinese, draw), wanted, max(posterior, key=lambda path: posterior[path])

    def _wish(
        self, category: Category, brand: str, spoken: str, chinese: bool, draw: random.Random
    ) -> tuple[dict[str, str], list[str]]:
        """One or two attributes asked for, and the words that ask for them."""
        colour, material = draw.choice(list(COLOURS)), draw.choice(category.materials)
        said = {
            "colour": (colour, COLOURS[colour][chinese]),
            "brand": (brand, spoken),
            "material": (material, MATERIALS[material] if chinese else material),
        }
        chosen = draw.sample(list(said), 1 if draw.random() < 0.75 else 2)
        return {name: said[name][0] for name in chosen}, [said[name][1] for name in chosen]

    def _choices(
        self, shopper: Shopper, category: Category, wanted: dict[str, str], draw: random.Random
    ) -> tuple[list[Product], list[Product]]:
        """Viewed in the order of appeal, and of these the bought ones."""
        offered = self.by_category[category.path]
        offered = draw.sample(offered, min(len(offered), 40))
        appeal = {p.item_id: _appeal(p, shopper, wanted) + draw.gauss(0, 1) for p in offered}
        seen = sorted(offered, key=lambda p: -appeal[p.item_id])[: draw.choices((1, 2, 3, 4), (35, 35, 20, 10))[0]]
        if draw.random() < CURIOSITY:
            stray = draw.choice(self.products)
            if stray.category.path != category.path:
                return [*seen, stray], [stray] if draw.random() < 0.5 else []
        return seen, [p for p in seen if draw.random() < BUYS[fit(p, wanted)]]


def fit(product: Product, wanted: dict[str, str]) -> str:
    """How a product of the right category meets what was asked for."""
    if not wanted:
        return "plain"
    return "fits" if all(product.true[name] == value for name, value in wanted.items()) else "misfit"


def _appeal(product: Product, shopper: Shopper, wanted: dict[str, str]) -> float:
    met = sum(product.true[name] == value for name, value in wanted.items())
    taste = 0.7 * (product.true["brand"] in shopper.brands) + 0.5 * (product.true["colour"] in shopper.colours)
    return 1.6 * met + taste - abs(product.price_level - shopper.price_level)


def _shopper(user_id: str, vocabulary: Vocabulary, draw: random.Random) -> Shopper:
    names = [brand for brands in vocabulary.brands.values() for brand, _ in brands]
    return Shopper(
        user_id,
        draw.choices(("zh", "en", "mixed"), (45, 40, 15))[0],
        tuple(draw.sample(list(BRANDS), 3)),
        frozenset(draw.sample(names, 6)),
        frozenset(draw.sample(list(COLOURS), 2)),
        draw.gauss(0, 0.4),
    )


def _typed(text: str, chinese: bool, draw: random.Random) -> str:
    """The text as it is typed: now and then a slip, lower case, spaces run together."""
    if draw.random() < TYPING_ERRORS and len(text) > 3:
        at = draw.randrange(1, len(text) - 1)
        if chinese and draw.random() < 0.5:
            text = text.translate(CONFUSED)
        else:
            slips = (
                text[:at] + text[at + 1 :],
                text[:at] + text[at] + text[at:],
                text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :],
            )
            text = draw.choice(slips)
    return (text.lower() if draw.random() < 0.7 else text).strip()
