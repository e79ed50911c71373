import gzip
import json
import re
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shopguide.errors import DataError
from shopguide.records import tables
from shopguide.records.schema import MAX_ROW_BYTES
from shopguide.records.tables import attributes_of, column, rows_of
from tests.records.shops import BEHAVIOURS, PRODUCTS, load, write_lines, write_shop


def products(folder: Path, text: bytes, name: str = "products.jsonl") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(text)
    return folder


def test_stored_as_written(tmp_path: Path) -> None:
    shop = load(write_shop(tmp_path / "shop"))
    assert column(shop.products, "item_id") == ["I1", "I2", "I3"]
    assert attributes_of(shop.products[1]) == {"brand": "云峰"}
    assert column(shop.products, "price") == [None, 399.0, None]
    assert column(shop.behaviours, "viewed_items") == [["I1", "I3"], ["I2"]]
    assert column(shop.behaviours, "timestamp") == [10.0, 20.0]
    assert (len(shop.judgements), len(shop.dialogues)) == (0, 0)


def test_tables_are_memory_mapped(tmp_path: Path) -> None:
    before = pa.total_allocated_bytes()
    rows = ({"item_id": str(i), "title": "x" * 1000} for i in range(20_000))
    shop = load(write_shop(tmp_path / "shop", rows, []))
    assert len(shop.products) == 20_000
    assert pa.total_allocated_bytes() - before < 1_000_000


@pytest.mark.parametrize("form", ["jsonl.gz", "jsonl.zip", "json", "csv", "csv.gz", "tsv", "parquet", "parts"])
def test_every_format_gives_the_same_rows(tmp_path: Path, form: str) -> None:
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in PRODUCTS)
    folder = tmp_path / "shop"
    folder.mkdir()
    cells = [
        [
            p["item_id"],
            p["title"],
            p.get("description", ""),
            p["category"],
            json.dumps(p.get("attributes", {})),
            str(p.get("price", "")),
        ]
        for p in PRODUCTS
    ]
    names = ["item_id", "title", "description", "category", "attributes", "price"]
    if form == "jsonl.gz":
        (folder / "products.jsonl.gz").write_bytes(gzip.compress(lines.encode()))
    elif form == "jsonl.zip":
        with zipfile.ZipFile(folder / "products.zip", "w") as archive:
            archive.writestr("deep/products.jsonl", lines)
    elif form == "json":
        (folder / "products.json").write_text(json.dumps(PRODUCTS), encoding="utf-8")
    elif form == "parquet":
        pq.write_table(
            pa.Table.from_pylist([{**dict.fromkeys(names), **p} for p in PRODUCTS]), folder / "products.parquet"
        )
    elif form == "parts":
        (folder / "products").mkdir()
        for number, product in enumerate(PRODUCTS):
            write_lines(folder / "products" / f"part-{number}.jsonl", [product])
    else:
        mark = "\t" if form == "tsv" else ","
        rows = [names, *cells]
        text = "\n".join(mark.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows).encode()
        (folder / f"products.{form}").write_bytes(gzip.compress(text) if form.endswith("gz") else text)
    found = load(folder)
    expected = load(write_shop(tmp_path / "plain", PRODUCTS, BEHAVIOURS))
    assert found.products.to_list() == expected.products.to_list()


def test_a_data_set_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", True)
    named = tmp_path / "named"
    named.mkdir()
    pq.write_table(pa.Table.from_pylist([{"item_id": "I9", "title": "Tent"}]), named / "train.parquet")
    root = write_shop(tmp_path / "shop", PRODUCTS, [])
    from shopguide.records.files import _dataset

    assert _dataset(str(named))[0]["title"] == "Tent"
    with pytest.raises(DataError, match=r"data set `no/such`: expected a path or `owner/name"):
        load(root, options={"judgements": "no/such"})


def test_read_again_from_the_cache_until_a_file_changes(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    first, second = load(folder), load(folder)
    assert (first.report.cached, second.report.cached) == (False, True)
    write_lines(folder / "behaviours.jsonl", BEHAVIOURS[:1])
    third = load(folder)
    assert third.fingerprint != first.fingerprint
    assert len(third.behaviours) == 1


GOOD = b'{"item_id": "I1", "title": "a"}\n'
FAULTS = {
    "broken JSON": (GOOD + b'{"item_id": "I2", "title"', ":2", "(row)", "broken JSON"),
    "not an object": (GOOD + b"[1]\n", ":2", "(row)", "expected a JSON object, found a list"),
    "missing field": (
        GOOD + b'{"item_id": "I2"}\n',
        ":2",
        "title",
        "expected a value (the field is required), found none",
    ),
    "empty field": (GOOD + b'{"item_id": "I2", "title": " "}\n', ":2", "title", "expected a value"),
    "wrong type": (GOOD + b'{"item_id": "I2", "title": ["a"]}\n', ":2", "title", "expected text, found ['a'] (list)"),
    "wrong number": (
        GOOD + b'{"item_id": "I2", "title": "b", "price": "cheap"}\n',
        ":2",
        "price",
        "no currency, no comma",
    ),
    "negative price": (GOOD + b'{"item_id": "I2", "title": "b", "price": -3}\n', ":2", "price", "not below 0"),
    "not UTF-8": (
        GOOD + b'{"item_id": "I2", "title": "\xff\xfe"}\n',
        ":2",
        "(row)",
        "iconv -f GB18030 -t UTF-8), found byte 0xff",
    ),
    "duplicate": (GOOD + GOOD, ":2", "item_id", "an id of its own, found 'I1' again, as in"),
    "NUL bytes": (GOOD + b'{"item_id": "I2", "title": "b\x00"}\n', ":2", "(row)", "text without NUL bytes"),
    "NUL escaped": (GOOD + b'{"item_id": "I2", "title": "b\\u0000"}\n', ":2", "title", "text without NUL bytes"),
    "lone surrogate": (GOOD + b'{"item_id": "I2", "title": "\\ud800"}\n', ":2", "title", "text in UTF-8"),
    "megabytes": (
        GOOD + b'{"item_id": "I2", "title": "' + b"x" * MAX_ROW_BYTES + b'"}\n' + GOOD.replace(b"I1", b"I3"),
        ":2",
        "(row)",
        "a row of at most 4 MiB",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_row_stops_with_its_place(tmp_path: Path, name: str) -> None:
    text, line, field, message = FAULTS[name]
    with pytest.raises(DataError) as error:
        load(products(tmp_path / "shop", text))
    told = str(error.value)
    assert told.startswith("1 bad row:")
    assert f"products.jsonl{line}  {field}  " in told
    assert message in told
    assert "data.on_bad_rows=quarantine" in told
    assert len(told) < 1200


@pytest.mark.parametrize("name", FAULTS)
def test_quarantine_writes_the_row_aside_and_goes_on(tmp_path: Path, name: str) -> None:
    text, _, field, _ = FAULTS[name]
    shop = load(products(tmp_path / "shop", text), on_bad_rows="quarantine")
    assert column(shop.products, "item_id")[0] == "I1"
    assert shop.report.quarantined == 1
    (kept,) = map(json.loads, Path(str(shop.report.quarantine)).read_text(encoding="utf-8").splitlines())
    assert (kept["line"], kept["field"] or "(row)") == (2, field)
    assert len(shop.products) == (2 if name == "megabytes" else 1)


def test_an_unknown_product_in_a_behaviour(tmp_path: Path) -> None:
    row = {"query": "q", "purchased_items": ["I7"]}
    with pytest.raises(
        DataError, match=r"behaviours\.jsonl:1  purchased_items  expected the item_id of a product, found 'I7'"
    ):
        load(write_shop(tmp_path / "shop", PRODUCTS, [row]))


def test_a_behaviour_of_a_refused_product_names_its_row(tmp_path: Path) -> None:
    products(tmp_path / "shop", GOOD + b'{"item_id": "I2"}\n')
    write_lines(tmp_path / "shop" / "behaviours.jsonl", [{"query": "a", "viewed_items": ["I1", "I2"]}])
    with pytest.raises(DataError, match=r"found 'I2', whose own row was refused \(.*products.jsonl:2\)"):
        load(tmp_path / "shop")


@pytest.mark.parametrize("when", [1_700_000_000_000, -5, "1700000000000"])
def test_a_time_in_milliseconds_is_a_bad_row(tmp_path: Path, when: int | str) -> None:
    products(tmp_path / "shop", GOOD)
    write_lines(tmp_path / "shop" / "behaviours.jsonl", [{"query": "a", "timestamp": when}])
    with pytest.raises(DataError, match=r"timestamp  expected Unix seconds \(not milliseconds\) from 1970 to 2100"):
        load(tmp_path / "shop")


def test_the_report_lists_twenty_and_counts_all(tmp_path: Path) -> None:
    rows = [{"item_id": f"I{i}"} for i in range(50)]
    with pytest.raises(DataError) as error:
        load(write_shop(tmp_path / "shop", rows, []))
    lines = str(error.value).splitlines()
    assert lines[0] == "50 bad rows:"
    assert sum("products.jsonl:" in line for line in lines) == 20
    assert "  … and 30 more" in lines
    assert "  50 × title: expected a value (the field is required)" in lines


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("products.jsonl", b"", "expected rows, found an empty file"),
        ("products.jsonl", b"\n\n", "expected rows, found none"),
        ("products.jsonl.gz", b"not gzip", "expected a readable file, found BadGzipFile"),
        ("products.jsonl.gz", gzip.compress(GOOD * 1000)[:-20], "expected a readable file, found EOFError"),
        ("products.zip", b"not a zip", "expected a readable file, found BadZipFile"),
        ("products.parquet", b"not parquet", "expected a readable file, found Arrow"),
        ("products.csv", b"", "expected rows, found an empty file"),
        ("products.csv", b"item_id,title\n", "expected rows, found none"),
    ],
)
@pytest.mark.parametrize("on_bad_rows", ["stop", "quarantine"])
def test_a_bad_file_stops_in_both_modes(tmp_path: Path, name: str, text: bytes, message: str, on_bad_rows: str) -> None:
    with pytest.raises(DataError, match="the records cannot be read") as error:
        load(products(tmp_path / "shop", text, name), on_bad_rows=on_bad_rows)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"item_id,title\nI1,a\nI2\n", "products.csv:3  (row)  expected 2 cells, as in the header, found 1"),
        (b"item_id,title\nI1,a\nI2,\xff\n", "products.csv:3  title  expected text in UTF-8"),
        (b"item_id,title,attributes\nI1,a,{}\nI2,b,{bad\n", "products.csv:3  attributes  expected JSON"),
        (b"item_id,title,price\nI1,a,1\nI2,b,x\n", "products.csv:3  price  expected a number"),
    ],
)
def test_bad_rows_of_csv(tmp_path: Path, text: bytes, message: str) -> None:
    with pytest.raises(DataError) as error:
        load(products(tmp_path / "shop", text, "products.csv"))
    assert message in str(error.value)


def test_csv_cells(tmp_path: Path) -> None:
    folder = write_shop(tmp_path / "shop")
    (folder / "behaviours.jsonl").unlink()
    text = 'query,viewed_items,purchased_items,timestamp\nboots,I1|I2,"[""I1""]",2026-01-01T00:00:00\n'
    (folder / "behaviours.csv").write_text("\ufeff" + text, encoding="utf-8")
    (row,) = load(folder).behaviours.to_list()
    assert (row["viewed_items"], row["purchased_items"], row["timestamp"]) == (["I1", "I2"], ["I1"], 1767225600.0)


def test_reviews_of_a_csv_cell_and_none(tmp_path: Path) -> None:
    text = b'item_id,title,reviews\nA,boot,Runs small|Nice\nB,mug,"[""ok""]"\nC,tea,\n'
    shop = load(products(tmp_path / "shop", text, "products.csv"))
    assert column(shop.products, "reviews") == [["Runs small", "Nice"], ["ok"], []]


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected an existing file or folder"):
        load(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"expected files named products\.\*"):
        load(tmp_path / "empty")
    with pytest.raises(DataError, match="no such reader"):
        load(tmp_path, reader="nosuch")


def test_fields_that_no_table_stores_are_counted(tmp_path: Path) -> None:
    shop = load(write_shop(tmp_path / "shop", [{**p, "stock": 3} for p in PRODUCTS]))
    assert shop.report.ignored == {"products.stock": 3}


@pytest.mark.parametrize(
    ("spans", "message"),
    [
        ('[{"start": 3, "end": 4, "label": "x"}]', "spans  expected spans of more than blanks"),
        ("[0, 3]", "expected a list of objects with start, end and label"),
        ('[{"start": 0, "end": 9, "label": "x"}]', "spans  expected spans within the text (8 characters), found"),
        ('[{"start": 3, "end": 3, "label": "x"}]', "expected start and end (whole numbers, 0 ≤ start < end) and label"),
        ('[{"start": 0, "end": 3}]', "expected start and end (whole numbers, 0 ≤ start < end) and label"),
        ('[{"start": 0, "end": 3.5, "label": "x"}]', "expected start and end (whole numbers"),
        (
            '[{"start": 2, "end": 5, "label": "x"}, {"start": 0, "end": 3, "label": "y"}]',
            "expected spans that do not overlap",
        ),
    ],
)
def test_bad_spans(spans: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "annotations.jsonl").write_text(f'{{"text": "red shoe", "spans": {spans}}}\n')
    with pytest.raises(DataError, match=re.escape(message)):
        load(tmp_path / "shop")


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_spans_are_stored_in_order_and_the_text_with_its_blanks(form: str, tmp_path: Path) -> None:
    spans = '[{"start": 5, "end": 9, "label": "b"}, {"start": 1, "end": 4, "label": "a"}]'
    (tmp_path / "shop").mkdir()
    rows = {
        "jsonl": f'{{"text": " red shoe", "spans": {spans}}}\n',
        "csv": 'text,spans\n" red shoe","' + spans.replace('"', '""') + '"\n',
    }
    (tmp_path / "shop" / f"annotations.{form}").write_text(rows[form])
    (row,) = load(tmp_path / "shop").annotations
    assert row["text"] == " red shoe"
    assert [(span["start"], span["end"], span["label"]) for span in row["spans"]] == [(1, 4, "a"), (5, 9, "b")]


def test_an_attribute_of_several_values(tmp_path: Path) -> None:
    (row,) = load(
        write_shop(tmp_path / "shop", [{"item_id": "1", "title": "x", "attributes": {"size": ["S", 42, None]}}], [])
    ).products
    assert [(pair["name"], pair["value"]) for pair in row["attributes"]] == [("size", "S"), ("size", "42")]
    assert attributes_of(row) == {"size": "S, 42"}


def test_a_behaviour_tells_something(tmp_path: Path) -> None:
    root = write_shop(tmp_path / "shop", behaviours=[{"viewed_items": ["I1"]}, {"user_id": "U1", "timestamp": 3}])
    with pytest.raises(DataError, match=r"behaviours.jsonl:2  query  expected a value, or viewed_items or purchased_"):
        load(root)
    shop = load(root, on_bad_rows="quarantine")
    assert [row["viewed_items"] for row in shop.behaviours] == [["I1"]]


def test_equal_texts_of_a_column_are_one_object(tmp_path: Path) -> None:
    root = write_shop(tmp_path / "shop")
    write_lines(
        root / "judgements.jsonl",
        [{"query": query, "item_id": "I1", "label": 1} for query in ("red boot", "lamp", "red boot", "手机")],
    )
    shop = load(root)
    queries = column(shop.judgements, "query")
    assert queries == ["red boot", "lamp", "red boot", "手机"]
    assert queries[0] is queries[2]
    assert column(shop.judgements, "split") == [None] * 4
    assert column(shop.products, "price") == [None, 399.0, None]
    assert column(shop.dialogues, "question") == []


def test_rows_are_those_that_the_table_gives_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "ROWS_A_BATCH", 2)
    shop = load(write_shop(tmp_path / "shop"))
    assert len(shop.products) > 2
    for table in (shop.products, shop.behaviours, shop.dialogues):
        assert list(rows_of(table)) == list(table)
