from pathlib import Path

import pytest

from shopguide.records.public.published import whole

TRAIN, DEV, TEST = (Path(name) for name in ("train", "dev", "test"))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"train": TRAIN, "dev": DEV, "test": TEST}, ["train", "dev", "test"]),
        ({"train": TRAIN, "test": TEST}, ["train", "test"]),
        ({"train": TRAIN}, [None]),
        ({"dev": DEV}, [None]),
        ({"test": TEST}, ["test"]),
        ({"dev": DEV, "test": TEST}, [None, "test"]),
    ],
)
def test_the_split_of_a_file(files: dict[str, Path], expected: list[str | None]) -> None:
    assert [whole(files, split) for split in files] == expected
