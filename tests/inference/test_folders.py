from pathlib import Path

import pytest

from shopguide.errors import ModelError
from shopguide.inference.folders import check_free, check_own, former, take_place


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


@pytest.mark.parametrize("place", ["out", ".out.replaced"])
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


def test_what_somebody_else_keeps_beside_it_is_told(tmp_path: Path) -> None:
    check_own(tmp_path / "none", "a thing", ("*.json",))
    output = made(tmp_path / "out", "thing.json")
    check_own(output, "a thing", ("*.json",))
    (output / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match=r"expected a thing and nothing else there, found notes\.txt too"):
        check_own(output, "a thing", ("*.json",))


def test_the_root_of_a_disk_is_no_place() -> None:
    with pytest.raises(ModelError, match="found the root of a disk"):
        check_free(Path("/"), "a thing", {})


def test_where_the_new_one_cannot_be_moved_the_old_one_stays(tmp_path: Path) -> None:
    output = made(tmp_path / "out", "old")
    with pytest.raises(OSError, match="draft"):
        take_place(tmp_path / "draft", output)
    assert [path.name for path in output.iterdir()] == ["old"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_new_one_takes_the_place_of_all_that_was_there(tmp_path: Path) -> None:
    output = made(tmp_path / "out", "old")
    made(former(output), "older")
    take_place(made(tmp_path / "draft", "new"), output)
    assert [path.name for path in output.iterdir()] == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
