import multiprocessing
from multiprocessing.synchronize import Event
from pathlib import Path

from shopguide.runs.identity import alone, content, identity


def test_the_same_facts_in_any_order() -> None:
    assert identity({"a": 1, "b": [1, 2]}) == identity({"b": [1, 2], "a": 1})
    assert identity({"a": 1}) != identity({"a": "1"})
    assert len(identity({})) == 16


def test_a_folder_is_what_its_files_hold(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "weights").write_text("1")
    before = content(tmp_path)
    assert content(tmp_path) == before
    (tmp_path / "a" / "weights").write_text("2")
    changed = content(tmp_path)
    (tmp_path / "a" / "weights").rename(tmp_path / "a" / "other")
    assert len({before, changed, content(tmp_path)}) == 3


def _hold(folder: Path, held: Event) -> None:
    with alone(folder, "work", wait=False):
        held.set()
        held.wait(60)
        multiprocessing.Event().wait(60)


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hold, args=(tmp_path, ready))
    process.start()
    assert ready.wait(60)
    with alone(tmp_path, "work", wait=False) as held, alone(tmp_path, "other work", wait=False) as free:
        assert (held, free) == (False, True)
    process.kill()
    process.join()
    with alone(tmp_path, "work", wait=True) as held:
        assert held
