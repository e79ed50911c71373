from pathlib import Path

import pytest

from shopguide.guide.images import picture_file


@pytest.mark.parametrize(
    "image", [None, "", "no.svg", "../secret.svg", "/etc/passwd", "notes.txt", "http://a/b.png", "images", "a\\b.svg"]
)
def test_what_is_no_picture_of_the_shop(tmp_path: Path, image: str | None) -> None:
    root = tmp_path / "shop"
    (root / "images").mkdir(parents=True)
    (root / "notes.txt").write_text("x")
    (tmp_path / "secret.svg").write_text("x")
    (root / "link.svg").symlink_to(tmp_path / "secret.svg")
    assert picture_file(root, image) is None
    assert picture_file(root, "link.svg") is None


def test_a_picture(tmp_path: Path) -> None:
    (tmp_path / "a.SVG").write_text("x")
    assert picture_file(tmp_path, "a.SVG") == ((tmp_path / "a.SVG").resolve(), "image/svg+xml")
