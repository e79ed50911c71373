import multiprocessing
import time
from pathlib import Path

import pytest

from shopguide.records.once import make_once


def _slowly(folder: Path, log: Path) -> None:
    def make(draft: Path) -> None:
        with log.open("a") as file:
            file.write("made\n")
        time.sleep(0.5)
        (draft / "note").write_text("whole")

    make_once(folder, (folder / "note").is_file, make)
    assert (folder / "note").read_text() == "whole"


def test_processes_that_start_together_make_it_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    jobs = [context.Process(target=_slowly, args=(tmp_path / "a" / "shop", tmp_path / "log")) for _ in range(3)]
    for job in jobs:
        job.start()
    for job in jobs:
        job.join(60)
    assert [job.exitcode for job in jobs] == [0, 0, 0]
    assert (tmp_path / "log").read_text() == "made\n"


def test_whole_or_not_at_all(tmp_path: Path) -> None:
    def fail(draft: Path) -> None:
        (draft / "half").write_text("")
        raise ValueError

    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "old").write_text("")
    with pytest.raises(ValueError):  # noqa: PT011
        make_once(tmp_path / "shop", lambda: False, fail)
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["old"]
    assert make_once(tmp_path / "shop", lambda: False, lambda draft: (draft / "new").touch())
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["new"]
    assert not make_once(tmp_path / "shop", lambda: True, fail)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("tmp")]
