import pytest

from shopguide import reproduce
from shopguide.runs.tree import Run
from tests.conftest import Finished


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["reproduce", *arguments])
    reproduce.main()


def test_the_same_comes_out_and_a_changed_figure_is_told(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"tracking.root={finished.folder / 'mlruns'}", f"run={finished.run_id}"]
    run(monkeypatch, *words)
    told = capsys.readouterr().out.splitlines()
    count = len(finished.store.client.get_run(finished.run_id).data.metrics)
    assert told[-1] == f"{count} of {count} metrics of run {finished.run_id} came out the same"
    again = finished.store.find_all("tags.`shopguide.reproduces` != ''")
    assert [r.data.tags["shopguide.reproduces"] for r in again] == [finished.run_id]


def test_what_is_otherwise_is_told_without_a_run(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client, tags = finished.store.client, finished.store.client.get_run(finished.run_id).data.tags
    words = [f"tracking.root={finished.folder / 'mlruns'}", f"run={finished.run_id}", "check_only=true"]
    before = len(finished.store.find_all("tags.`shopguide.kind` = 'experiment'"))
    changed = {"version.torch": "1.0", "fingerprint.data": "abc", "git.commit": "f00"}
    Run(finished.store, finished.run_id).set_tags(changed)
    try:
        run(monkeypatch, *words)
    finally:
        for key in changed:
            client.set_tag(finished.run_id, key, tags[key]) if key in tags else client.delete_tag(finished.run_id, key)
    told = capsys.readouterr().out
    assert "torch: 1.0 then, " in told
    assert f"data: fingerprint abc then, {tags['fingerprint.data']} now" in told
    assert "commit: f00 then, " in told
    assert len(finished.store.find_all("tags.`shopguide.kind` = 'experiment'")) == before
