from pathlib import Path

import pytest

from shopguide.errors import ModelError
from shopguide.inference.folders import check_free, former, take_place


def checked(output: Path) -> None:
    check_free(output, "a thing", {output: ("thing.json",), former(output): ("thing.json",)})


def made(folder: Path, file: str) -> Path:
    folder.mkdir(parents=True)
    (folder / file).write_text("x")
    return folder


def test_a_new_place_an_empty_one_and_one_of_the_same_kind_are_free(tmp_path: Path) -> None:
    checked(tmp_path / "not" / "there")
    checked(tmp_path)
    checked(made(tmp_path / "own", "thing.json"))


@pytest.mark.parametrize("place", ["out", "out.before"])
def test_what_somebody_else_keeps_there_is_told(place: str, tmp_path: Path) -> None:
    made(tmp_path / place, "mine.txt")
    with pytest.raises(ModelError, match=rf"expected no .*{place}, or a thing, found something else there"):
        checked(tmp_path / "out")


def test_a_file_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ModelError, match="found something else there"):
        checked(tmp_path / "file")
    with pytest.raises(ModelError, match="expected a place to write, found none in"):
        checked(tmp_path / "file" / "out")


def test_the_new_one_takes_the_place_of_all_that_was_there(tmp_path: Path) -> None:
    output = made(tmp_path / "out", "old")
    made(former(output), "older")
    take_place(made(tmp_path / "draft", "new"), output)
    assert [path.name for path in output.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
