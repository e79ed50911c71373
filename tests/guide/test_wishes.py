import time
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
        ("dress under 50?", "dress ?", None, 50),
        ("under 300 red dress", "red dress", None, 300),
        ("dress over 300", "dress", 300, None),
        ("dress at least 400", "dress", 400, None),
        ("dress up to 300 by Ann", "dress by Ann", None, 300),
        ("dress between $100-$200", "dress", 100, 200),
        ("1000以内手机", "手机", None, 1000),
        ("手机低于300", "手机", None, 300),
        ("dress under 50 for summer", "dress for summer", None, 50),
        ("dress under $50 for summer", "dress for summer", None, 50),
        ("Dress cheaper than 49.90 euros", "Dress", None, 49.9),
        ("shoes between 30 and 60", "shoes", 30, 60),
        ("shoes $30-60 red", "shoes red", 30, 60),
        ("shoes 60 to 30 dollars", "shoes", 30, 60),
        ("phone over ¥1000", "phone", 1000, None),
        ("phone no less than $100", "phone", 100, None),
        ("phone not over $100", "phone", None, 100),
        ("phone not more than 100 yuan", "phone", None, 100),
        ("shoes over $20 and under $50", "shoes", 20, 50),
        ("shoes under 100 dollars over 50 dollars", "shoes", 50, 100),
        ("laptop under $2k", "laptop", None, 2000),
        ("laptop under $1,299.99", "laptop", None, 1299.99),
        ("tent below 49,90 €", "tent", None, 49.9),
        ("at least 20 bucks, mug", ", mug", 20, None),
        ("500元以下的手机", "手机", None, 500),
        ("手机 1000以内", "手机", None, 1000),
        ("手机1000到2000元", "手机", 1000, 2000),
        ("不超过300块的裙子", "裙子", None, 300),
        ("不低于100元 裙子", "裙子", 100, None),
        ("不高于500元 裙子", "裙子", None, 500),
        ("裙子 200元以上", "裙子", 200, None),
        ("不超过1万元的电脑", "电脑", None, 10_000),
        ("超过2千元的手机", "手机", 2000, None),
        ("dress 100 or less", "dress", None, 100),
        ("1000到2000左右的手机", "手机", 1000, 2000),
        ("200-300元左右的鞋", "鞋", 200, 300),
        ("大约200元左右的鞋", "鞋", 160, 240),
        ("万元以下的电脑", "电脑", None, 10_000),
        ("dress $20 and up", "dress", 20, None),
        ("maximum 100 dress", "dress", None, 100),
        ("dress min price 30", "dress", 30, None),
        ("dress around $100", "dress", 80, 120),
        ("100元左右的茶", "茶", 80, 120),
        ("3000左右的手机", "手机", 2400, 3600),
        ("5k以下的手机", "手机", None, 5000),
        ("茶 小于100", "茶", None, 100),
        ("茶 大于100", "茶", 100, None),
        ("两千以下的手机", "手机", None, 2000),
        ("一百元以内的茶", "茶", None, 100),
        ("不超过一百二十块的茶", "茶", None, 120),
        ("三千五到四千元的手机", "手机", 3500, 4000),
        ("under 50", "under 50", None, 50),
    ],
)
def test_prices(query: str, text: str, low: float | None, high: float | None, mentions: Mentions) -> None:
    assert read_wishes(query, mentions) == Wishes(text, low, high)
    assert read_wishes(query, mentions, priced=False) == Wishes(query)


NO_PRICE = (
    "bottle under 50 ml|watch under 50m water|rope over 20 meters|iphone 15|size 42|42码以下"
    "|5英寸以上 屏幕|under armour|$|no|not|iphone 15 pro max 256|usb 3.0 to usb 2.0"
    "|between you and me||不超过5公斤的行李箱|充电宝 超过20000毫安|低于3厘米的鞋跟|42以上的鞋"
    "|身高160以下 裙子|calendar from 2020 to 2023|shoes from 36 to 40|toys for kids under 15"
    "|laptop under 1.299|vitamins for women over 50|starbucks 12-24 pods|amateur 5-10 racket|12345678以下"
    "|1.255以下|tv over 55 in|toys under 5|I do not want to pay more than $50|usb-c 2-3"
    "|iphone 15 pro max 256|nike air max 270|i <3 dresses|一起|三块巧克力|第一|十字绣|around 80 beads|五左右"
    "|airpods max $450|nike air max 270 $150|42左右的鞋|女生160左右 裙子|27左右显示器|500左右毫升|200左右手柄"
    "|九块九以内|十块五以下的茶|一九九元以下|三到五千元|一两百元左右|苹果十三以下|spf >50 sunscreen|tv >55|usb->20"
    "|around 20 pounds dumbbell|20 pounds or less dumbbell|500 or less calories"
)


@pytest.mark.parametrize("query", NO_PRICE.split("|"))
def test_what_is_no_price_stays(query: str, mentions: Mentions) -> None:
    assert read_wishes(query, mentions) == Wishes(query)


@pytest.mark.parametrize(
    ("query", "text", "without"),
    [
        ("dress not red", "dress", {"colour": ["red"]}),
        ("dress without Silk or cotton", "dress", {"material": ["Silk", "cotton"]}),
        ("dress not red, blue and black", "dress", {"colour": ["red", "blue", "black"]}),
        ("dress not red or silk", "dress or silk", {"colour": ["red"]}),
        ("red dress no silk", "red dress", {"material": ["silk"]}),
        ("dress 不要silk", "dress", {"material": ["silk"]}),
        ("not red not blue dress", "dress", {"colour": ["red", "blue"]}),
        ("no iron shirt", "no iron shirt", {}),
        ("要不要silk dress", "要不要silk dress", {}),
        ("是不是silk", "是不是silk", {}),
        ("含不含silk", "含不含silk", {}),
        ("不是silk吗", "不是silk吗", {}),
        ("有没有不含silk的", "有没有不含silk的", {}),
        ("not red", "not red", {"colour": ["red"]}),
        ("dress not made of silk", "dress", {"material": ["silk"]}),
        ("non silk dress", "dress", {"material": ["silk"]}),
        ("non-silk dress", "dress", {"material": ["silk"]}),
        ("dress other than red", "dress", {"colour": ["red"]}),
        ("不含silk的dress", "dress", {"material": ["silk"]}),
        ("不是red的", "不是red的", {"colour": ["red"]}),
    ],
)
def test_what_is_not_wanted(query: str, text: str, without: dict[str, list[str]], mentions: Mentions) -> None:
    assert read_wishes(query, mentions) == Wishes(text, None, None, without)


PARTS = ("under", "50", "$", "not", "red", "不", "要", "元", "以下", " ")


@given(st.text() | st.lists(st.sampled_from(PARTS)).map("".join))
def test_any_query_is_read(mentions: Mentions, query: str) -> None:
    found = read_wishes(query, mentions)
    assert found.text or not query
    assert found == Wishes(query) or len(found.text) <= len(query)


def test_the_longest_queries_take_no_time(mentions: Mentions) -> None:
    begun = time.perf_counter()
    for query in ("1," * 250, " " * 500, "under " * 83, "1 - " * 125, "not red or " * 45, "不" * 500):
        read_wishes(query, mentions)
    assert time.perf_counter() - begun < 2


def test_what_is_asked_for_besides_goes_first() -> None:
    asked = Wishes("dress", 10, 50, {"colour": ["red"]}).of(Asked({}, price_to=30, without={"material": ["silk"]}))
    assert asked == Asked({}, None, 30, {"colour": ["red"], "material": ["silk"]})


def test_search_keeps_to_them(tmp_path: Path) -> None:
    guide = Guide(shop(tmp_path), {}, {})
    asked = [Query("dres under 50"), Query("dress not red"), Query("dress not red", mend=False)]
    found = guide.search(asked, [9] * 3)
    assert [[item.item_id for item in own.items] for own in found] == [["I1"], ["I2"], ["I1", "I2", "I4"]]
    assert (found[0].need.price_to, found[0].searched, found[0].mended) == (50, "dress", True)
    assert (found[1].need.without, found[1].mended) == ({"colour": ["red"]}, False)
    (need,) = guide.understand(["silk dress over $20, not red"])
    assert (need.query, need.price_from, need.without) == ("silk dress", 20, {"colour": ["red"]})
    assert [mark.text for mark in need.spans] == ["silk", "dress"]
    assert not any(own.beyond_price for own in found)
    bought = guide.recommend(query="dress not red", count=9)
    assert {item.item_id for item in bought} == {"I2", "I3", "I5"}


def test_where_nothing_that_fits_has_the_price_other_prices_are_shown(tmp_path: Path) -> None:
    guide = Guide(shop(tmp_path), {}, {})
    chosen = Query("dress over 300", Asked({}, price_from=300))
    asked = [Query("dress over 300"), Query("dress over 50"), chosen, Query("zebra over 300")]
    found = guide.search(asked, [9] * 4)
    assert [[item.item_id for item in own.items] for own in found] == [["I1", "I2"], ["I2"], [], []]
    assert [own.beyond_price for own in found] == [True, False, False, False]
    assert found[0].need.price_from == 300
    assert (found[2].need.price_from, found[2].need.query) == (None, "dress")  # the filter's price, not the query's


@pytest.mark.parametrize(
    ("said", "number"),
    [("十", 10), ("十二", 12), ("一百", 100), ("一百零五", 105), ("三百五", 350), ("两千五", 2500),
     ("两千零五十", 2050), ("一千二百", 1200), ("一万二", 12_000), ("二十三万", 230_000)],
)  # fmt: skip
def test_numbers_in_words(said: str, number: float, mentions: Mentions) -> None:
    assert read_wishes(f"{said}元以下的茶", mentions) == Wishes("茶", None, number)


def test_what_is_refused_is_not_marked_as_wanted(tmp_path: Path) -> None:
    (found,) = Guide(shop(tmp_path), {}, {}).search([Query("not red")], [9])
    assert (found.need.spans, found.need.without, found.items) == ([], {"colour": ["red"]}, [])
