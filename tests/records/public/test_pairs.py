from pathlib import Path

import pytest

from shopguide.errors import DataError
from shopguide.records.tables import Shop
from tests.records.public.reading import published, read

OFFER = "COL title VAL a b COL manufacturer VAL  COL price VAL 9 "


def pairs(shop: Shop) -> list[tuple[str, str, str, str | None]]:
    return [(p["text"], p["text_pair"], p["label"], p["split"]) for p in shop.pairs]


def test_offers_by_their_values(tmp_path: Path) -> None:
    for name, label in (("train", 1), ("valid", 0), ("test", 1)):
        (tmp_path / f"{name}.txt").write_text(f"{OFFER}\tCOL title VAL c (COL) VAL d \t{label}\n")
    found = pairs(read("ditto", tmp_path, tmp_path / "cache"))
    assert found == [
        ("a b | 9", "c (COL) VAL d", label, s) for label, s in (("1", "train"), ("0", "dev"), ("1", "test"))
    ]


@pytest.mark.parametrize("line", ["COL a VAL b\t1", "a\tb\t1", f"{OFFER}\t{OFFER}\t1\t2"])
def test_a_line_that_is_no_pair_of_offers(line: str, tmp_path: Path) -> None:
    (tmp_path / "train.txt").write_text(f"{OFFER}\t{OFFER}\t1\n{line}\n")
    with pytest.raises(DataError, match=r"train.txt:2  \(row\)  expected two offers"):
        read("ditto", tmp_path, tmp_path / "cache")


def test_questions_of_a_language(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text('hi "you\thola\tbye\tadiós\t0\na\tb\tc\td\t1\n')
    for language, first in (("en", ('hi "you', "bye")), ("es", ("hola", "adiós"))):
        shop = read("customer_questions", tmp_path, tmp_path / "cache", options={"language": language})
        assert pairs(shop)[0] == (*first, "0", None)
    with pytest.raises(DataError, match=r"data.options.language=fr: expected one of en, es"):
        read("customer_questions", tmp_path, tmp_path / "cache", options={"language": "fr"})
    (tmp_path / "train.tsv").write_text("a\tb\t1\n")
    with pytest.raises(DataError, match=r"train.tsv:1 .* found 3 cells"):
        read("customer_questions", tmp_path, tmp_path / "cache")


@pytest.mark.public
@pytest.mark.parametrize(
    ("name", "reader", "count"),
    [
        ("match_Abt-Buy", "ditto", 5743 + 1916),
        ("match_Amazon-Google", "ditto", 6874 + 2293),
        ("customer_questions", "customer_questions", 15821),
    ],
)
def test_the_published_pairs(name: str, reader: str, count: int, tmp_path: Path) -> None:
    shop = read(reader, published(name), tmp_path)
    assert len(shop.pairs) == count
    assert set(shop.pairs["label"]) == {"0", "1"}
