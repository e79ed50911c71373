import json
from pathlib import Path

import pytest

from shopguide.errors import DataError
from tests.records.public.reading import published, read


def choice(fits: str, titles: str = "甲, 乙 丙, 丁, 戊") -> str:
    said = {"sentences": f"Query: 手机\nCandidate Document: {titles}.", "spans": [{"term": fits, "start": 1, "end": 2}]}
    return json.dumps({"label_set": [""], **said}, ensure_ascii=False)


def test_four_titles_of_which_one_fits(tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text(choice("乙 丙") + "\n" + choice("丁") + "\n")
    shop = read("multi_cpr_select", tmp_path, tmp_path / "cache")
    assert list(shop.products["title"])[:4] == ["甲", "乙 丙", "丁", "戊"]
    assert list(shop.judgements["label"]) == ["0", "1", "0", "0", "0", "0", "1", "0"]
    assert set(shop.judgements["query"]) == {"手机"}
    assert len(set(shop.judgements["item_id"])) == 8


@pytest.mark.parametrize("line", [choice("己"), choice("甲", "甲, 甲"), '{"sentences": "手机", "spans": []}'])
def test_a_row_that_is_no_choice(line: str, tmp_path: Path) -> None:
    (tmp_path / "dev.json").write_text(choice("丁") + "\n" + line + "\n")
    with pytest.raises(DataError, match=r"dev.json:2  \(row\)  expected a query, titles, and one of them as the span"):
        read("multi_cpr_select", tmp_path, tmp_path / "cache")


@pytest.mark.public
def test_the_published_file(tmp_path: Path) -> None:
    shop = read("multi_cpr_select", published("multi_cpr_select"), tmp_path)
    assert len(shop.products) == len(shop.judgements) == 4 * 166
    assert list(shop.judgements["label"]).count("1") == 166
