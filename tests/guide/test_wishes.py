from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopguide.guide.guide import Guide
from shopguide.guide.mentions import Mentions
from shopguide.guide.searching import Query
from shopguide.guide.shelf import Asked, Shelf
from shopguide.guide.wishes import Wishes, read_wishes
from tests.guide.shops import shop


@pytest.fixture(scope="module")
def mentions(tmp_path_factory: pytest.TempPathFactory) -> Mentions:
    return Mentions(Shelf(shop(tmp_path_factory.mktemp("shop"))))


@pytest.mark.parametrize(
    ("query", "text", "low", "high"),
    [
        ("dress under 50", "dress", None, 50),
        ("dress under $50 for summer", "dress for summer", None, 50),
        ("Dress cheaper than 49.90 euros", "Dress", None, 49.9),
        ("shoes between 30 and 60", "shoes", 30, 60),
        ("shoes $30-60 red", "shoes red", 30, 60),
        ("shoes 60 to 30 dollars", "shoes", 30, 60),
        ("phone over ¥1000", "phone", 1000, None),
        ("laptop under $1,299.99", "laptop", None, 1299.99),
        ("laptop under 1.299", "laptop under 1.299", None, None),
        ("tent below 49,90 €", "tent", None, 49.9),
        ("at least 20 bucks, mug", ", mug", 20, None),
        ("500元以下的手机", "的手机", None, 500),
        ("手机 1000以内", "手机", None, 1000),
        ("手机1000到2000元", "手机", 1000, 2000),
        ("不超过300块的裙子", "的裙子", None, 300),
        ("裙子 200元以上", "裙子", 200, None),
    ],
)
def test_prices(query: str, text: str, low: float | None, high: float | None, mentions: Mentions) -> None:
    assert read_wishes(query, mentions) == Wishes(text, low, high)
    assert read_wishes(query, mentions, priced=False) == Wishes(query)


@pytest.mark.parametrize(
    "query",
    [
        "bottle under 50 ml", "watch under 50m water", "rope over 20 meters", "iphone 15", "size 42", "42码以下",
        "5英寸以上 屏幕", "under armour", "iphone 15 pro max 256", "usb 3.0 to usb 2.0", "over 18",
        "$", "no", "not", "between you and me", "",
    ],
)  # fmt: skip
def test_what_is_no_price_stays(query: str, mentions: Mentions) -> None:
    found = read_wishes(query, mentions)
    assert found == Wishes(query) or query == "over 18"


@pytest.mark.parametrize(
    ("query", "text", "without"),
    [
        ("dress not red", "dress", {"colour": ["red"]}),
        ("dress without Silk or red", "dress or red", {"material": ["Silk"]}),
        ("red dress no silk", "red dress", {"material": ["silk"]}),
        ("dress 不要silk", "dress", {"material": ["silk"]}),
        ("not red not blue dress", "dress", {"colour": ["blue", "red"]}),
        ("no iron shirt", "no iron shirt", {}),
        ("not red", "not red", {}),
    ],
)
def test_what_is_not_wanted(query: str, text: str, without: dict[str, list[str]], mentions: Mentions) -> None:
    assert read_wishes(query, mentions) == Wishes(text, None, None, without)


@given(st.text())
def test_any_query_is_read(mentions: Mentions, query: str) -> None:
    found = read_wishes(query, mentions)
    assert found.text or not query
    assert found == Wishes(query) or len(found.text) < len(query)


def test_what_is_asked_for_besides_goes_first() -> None:
    asked = Wishes("dress", 10, 50, {"colour": ["red"]}).of(Asked({}, price_to=30, without={"material": ["silk"]}))
    assert asked == Asked({}, 10, 30, {"colour": ["red"], "material": ["silk"]})


def test_search_keeps_to_them(tmp_path: Path) -> None:
    guide = Guide(shop(tmp_path), {}, {})
    found = guide.search([Query("dress under 50"), Query("dress not red"), Query("dress not red", mend=False)], [9] * 3)
    assert [[item.item_id for item in own.items] for own in found] == [["I1"], ["I2"], ["I1", "I2", "I4"]]
    assert (found[0].need.price_to, found[0].searched) == (50, "dress")
    assert found[1].need.without == {"colour": ["red"]}
    (need,) = guide.understand(["silk dress over 20, not red"])
    assert (need.query, need.price_from, need.without) == ("silk dress", 20, {"colour": ["red"]})
    assert [mark.text for mark in need.spans] == ["silk", "dress"]
