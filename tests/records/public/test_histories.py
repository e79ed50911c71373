import gzip
import json
from pathlib import Path

import pytest

from shopguide.errors import DataError
from shopguide.records.partition import partition
from tests.records.public.reading import attributes, published, read

ITEMS = {
    "0": {"title": "Glue", "description": "['Super glue.']", "brand": "Acme", "categories": "Tools"},
    "1": {"title": "", "description": "", "brand": "Bosch", "categories": ""},
}
HEADER = "user_id,history_item_title,item_title,history_item_id,item_id\n"
FRACTIONS = (0.8, 0.1, 0.1)


def amazon(folder: Path, **files: str) -> Path:
    (folder / "Shop.item.json").write_text(json.dumps(ITEMS))
    for name, rows in files.items():
        with gzip.open(folder / f"{name}.csv.gz", "wt") as file:
            file.write(HEADER + rows)
    return folder


def test_histories_and_what_came_next(tmp_path: Path) -> None:
    shop = read("amazon_history", amazon(tmp_path, valid='U1,"[\'x\']",Glue,"[1, 0]",0\n'), tmp_path / "cache")
    glue, nameless = shop.products
    assert (glue["title"], glue["description"], glue["category"]) == ("Glue", "Super glue.", "Tools")
    assert attributes(glue) == {"brand": "Acme"}
    assert nameless["title"] == "Bosch", "a product without a title is called by its brand"
    (row,) = shop.behaviours
    assert (row["user_id"], row["query"], row["viewed_items"], row["purchased_items"]) == (
        "U1",
        None,
        ["1", "0"],
        ["0"],
    )


@pytest.mark.parametrize(
    ("names", "splits"),
    [
        (("train", "valid", "test"), {"train", "dev", "test"}),
        (("valid", "test"), {None, "test"}),
        (("test",), {"test"}),
        (("valid",), {None}),
    ],
)
def test_the_published_split(names: tuple[str, ...], splits: set[str | None], tmp_path: Path) -> None:
    rows = "".join(f'U{n},"[]",x,"[1]",0\n' for n in range(30))
    shop = read("amazon_history", amazon(tmp_path, **dict.fromkeys(names, rows)), tmp_path / "cache")
    assert set(shop.behaviours.data.column("split").to_pylist()) == splits
    drawn = partition(shop, "group", FRACTIONS, 0).behaviours
    if names == ("valid", "test"):
        assert set(drawn) == {"train", "dev", "test"}, "dev is drawn of what is learnt from"
        users = shop.behaviours.data.column("user_id").to_pylist()
        sides = {(user, split) for user, split in zip(users, drawn, strict=True) if split != "test"}
        assert len(sides) == len({user for user, _ in sides}), "a shopper is learnt from, or of dev"


def test_broken_histories_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"valid.csv.gz:2  history_item_id  expected a list of numbers, found '\[1'"):
        read("amazon_history", amazon(tmp_path, valid="U1,x,x,[1,0\n"), tmp_path / "cache")
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"expected valid\.csv"):
        read("amazon_history", amazon(tmp_path / "none"), tmp_path / "cache")


@pytest.mark.parametrize(
    ("items", "message"),
    [("[1, 2]", "expected a JSON object of products, found a list"), ('{"0": 3}', "expected an object with a title")],
)
def test_products_that_are_none(items: str, message: str, tmp_path: Path) -> None:
    root = amazon(tmp_path, valid="U1,x,x,[0],0\n")
    (root / "Shop.item.json").write_text(items)
    with pytest.raises(DataError, match=message):
        read("amazon_history", root, tmp_path / "cache")


def test_a_description_in_parts(tmp_path: Path) -> None:
    root = amazon(tmp_path, valid="U1,x,x,[0],0\n")
    (root / "Shop.item.json").write_text(json.dumps({"0": {"title": "Glue", "description": ["Super", "glue."]}}))
    assert read("amazon_history", root, tmp_path / "cache").products[0]["description"] == "Super glue."


def bundles(folder: Path, **changes: str) -> Path:
    files = {
        "item_titles": "item ID,titles\n1,Tea &amp; cups\n2,\n",
        "item_categories": 'item ID,categories\n1,"[[Food,Tea, hot,Green],[Other]]"\n2,"[[Food,Pods]]"\n3,"[[Food]]"\n',
        "session_item": "session ID,item ID\n8,2\n8,1\n9,1\n8,4\n",
        "user_session": "user ID,session ID,timestamp\n0,8,1400000000\n1,9,1400000001\n1,7,1400000002\n",
        "bundle_item": "bundle ID,item ID\n5,1\n5,3\n6,2\n",
        "bundle_intent": "bundle ID,intent\n5,tea time\n",
    }
    for name, text in (files | changes).items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def test_sessions_and_intents(tmp_path: Path) -> None:
    shop = read("bundle", bundles(tmp_path), tmp_path / "cache")
    assert [(p["item_id"], p["title"], p["category"]) for p in shop.products] == [
        ("1", "Tea & cups", "Food/Tea, hot/Green"),
        ("2", "Pods", "Food/Pods"),
        ("3", "Food", "Food"),
        ("4", "4", None),
    ]


def test_a_product_of_which_nothing_is_said_is_called_by_its_id(tmp_path: Path) -> None:
    root = bundles(tmp_path, item_titles="item ID,titles\n1,\n", item_categories="item ID,categories\n2,\n")
    shop = read("bundle", root, tmp_path / "cache")
    assert {p["item_id"]: p["title"] for p in shop.products} == {"1": "1", "2": "2", "3": "3", "4": "4"}


def test_broken_rows_of_bundles_are_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"bundle_intent.csv:3 .*expected|bundle_intent.csv:3  expected 2 cells"):
        read("bundle", bundles(tmp_path, bundle_intent="bundle ID,intent\n5,tea\n6\n"), tmp_path / "cache")


def test_behaviours_and_judgements_of_bundles(tmp_path: Path) -> None:
    shop = read("bundle", bundles(tmp_path), tmp_path / "cache")
    assert [(b["user_id"], b["viewed_items"]) for b in shop.behaviours] == [("0", ["2", "1", "4"]), ("1", ["1"])]
    assert [(j["query"], j["item_id"], j["label"]) for j in shop.judgements] == [
        ("tea time", "1", "1"),
        ("tea time", "3", "1"),
    ]


@pytest.mark.public
@pytest.mark.parametrize(
    ("name", "reader", "counts"),
    [
        ("amazon_Industrial_and_Scientific", "amazon_history", (3686, 9065, 0)),
        ("bundle_clothing", "bundle", (6439, 968, 6322)),
        ("bundle_food", "bundle", (5072, 1161, 6393)),
    ],
)
def test_published_files(name: str, reader: str, counts: tuple[int, int, int], tmp_path: Path) -> None:
    shop = read(reader, published(name), tmp_path)
    assert (len(shop.products), len(shop.behaviours), len(shop.judgements)) == counts


def test_what_a_bundle_is_for_is_asked_of_its_products(tmp_path: Path) -> None:
    root = bundles(tmp_path, bundle_intent="bundle ID,intent\n5,Tea  time\n6,tea time\n7,nothing\n")
    shop = read("bundle", root, tmp_path / "cache", options={"find": "intents"})
    assert [(p["item_id"], p["title"]) for p in shop.products] == [("tea time", "Tea time"), ("nothing", "nothing")]
    assert [(j["query"], j["item_id"]) for j in shop.judgements] == [
        ("Tea & cups, Food", "tea time"),
        ("Pods", "tea time"),
    ]
    assert not len(shop.behaviours)
    with pytest.raises(DataError, match=r"data\.options\.find=x: expected one of products, intents"):
        read("bundle", root, tmp_path / "cache", options={"find": "x"})
