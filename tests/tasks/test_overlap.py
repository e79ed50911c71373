import random

from hypothesis import given, settings
from hypothesis import strategies as st

from shopguide.tasks.overlap import GRAM, NEAR, SHORTEST, bare, overlap

TITLES = [
    f"{colour} waterproof hiking boots for {who}, size {size}"
    for colour in ("red", "blue", "olive", "black")
    for who in ("women", "men", "children")
    for size in (36, 40, 44)
]


def test_planted_leaks_are_found_each_by_its_kind() -> None:
    train = [
        "Canvas shoulder bag with inner pocket and zip",
        "防水登山鞋 云峰 2024 秋季新款 男女同款 轻便 透气 防滑 耐磨",
        "手机",
    ]
    held_out = [
        train[0],
        "CANVAS shoulder bag　with inner pocket & zip".replace("&", "and"),
        "Canvas shoulder bag with an inner pocket and zip",
        "防水登山鞋 云峰 2024 秋季新款 男女同款 轻便 透气 防滑 耐磨 包邮",
        "手机!",
        "手机壳",
        "Leather wallet with eight compartments for cards",
    ]
    found = overlap(train, held_out)
    assert (found.texts, found.exact, found.same, found.near) == (7, 1, 3, 5)
    assert found.share == 5 / 7
    assert overlap(train, held_out, near=False).near == found.same
    assert {held for held, _ in found.examples} <= set(held_out[1:5])


def test_nothing_held_out_and_nothing_learnt() -> None:
    assert overlap(["🙂"], ["🎉", "!"]).near == 0
    assert overlap([], ["a"]).share == overlap(["a"], []).share == overlap([], []).share == 0


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**6))
def test_near_duplicates_are_those_of_comparing_all(seed: int) -> None:
    draw = random.Random(seed)

    def changed(text: str) -> str:
        letters = list(text)
        for _ in range(draw.choice([1, 2, 4, 12])):
            letters[draw.randrange(len(letters))] = draw.choice("abcdefgh ")
        return "".join(letters)

    train = [changed(draw.choice(TITLES)) for _ in range(12)]
    held_out = [changed(draw.choice(TITLES)) for _ in range(8)]

    def grams(text: str) -> set[str]:
        letters = bare(text)
        return {letters[i : i + GRAM] for i in range(len(letters) - GRAM + 1)}

    def double(text: str) -> bool:
        return any(
            bare(text) == bare(other)
            or len(grams(text) & grams(other)) / len(grams(text) | grams(other)) >= NEAR - 1e-9
            for other in train
        )

    assert all(len(bare(text)) >= SHORTEST for text in train + held_out)
    assert overlap(train, held_out).near == sum(map(double, held_out))
