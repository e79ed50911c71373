from pathlib import Path

import pytest

from shopguide.errors import DataError
from tests.records.public.reading import published, read


def test_made_up_queries(tmp_path: Path) -> None:
    root = tmp_path / "cpr"
    root.mkdir()
    (root / "train.query.txt").write_text("1\t手机壳\n2\t登山鞋 防水\n", encoding="utf-8")
    assert list(read("multi_cpr_queries", root, tmp_path).behaviours["query"]) == ["手机壳", "登山鞋 防水"]


def test_a_line_without_a_tab(tmp_path: Path) -> None:
    (tmp_path / "train.query.txt").write_text("1\t手机壳\n登山鞋\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"train.query.txt:2.*expected number, tab, query, found 登山鞋"):
        read("multi_cpr_queries", tmp_path, tmp_path / "cache")


@pytest.mark.public
def test_the_published_file(tmp_path: Path) -> None:
    shop = read("multi_cpr_queries", published("multi_cpr_queries"), tmp_path)
    assert len(shop.behaviours) == 100_000
