import re
from contextlib import suppress

import pytest

from shopguide import reproduce
from shopguide.errors import Pruned
from shopguide.experiment.run import Outcome
from shopguide.runs.tree import Run, open_run
from tests.conftest import Finished


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["reproduce", *arguments])
    reproduce.main()


def results(finished: Finished) -> dict[str, float]:
    metrics = finished.store.client.get_run(finished.run_id).data.metrics
    assert metrics["cost/training_seconds"] > 0
    return {name: value for name, value in metrics.items() if not name.startswith("cost/")}


def test_the_same_comes_out(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"tracking.root={finished.folder / 'mlruns'}", f"run={finished.run_id}"]
    run(monkeypatch, *words)
    told = capsys.readouterr().out.splitlines()
    count = len(results(finished))
    assert told[-1] == f"{count} of {count} metrics of run {finished.run_id} came out the same"
    again = finished.store.find_all("tags.`shopguide.reproduces` != ''")
    assert [r.data.tags["shopguide.reproduces"] for r in again] == [finished.run_id]


def test_a_figure_that_came_out_otherwise_is_told(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    then = results(finished)
    with open_run(finished.store, "again") as again:
        again.log_metrics({**{k: v for k, v in then.items() if k != "dev/score"}, "test/score": 0.125, "new": 1.0})
    monkeypatch.setattr("shopguide.experiment.reproduce.run_experiment", lambda _config: Outcome(again.id, 0.0, {}))
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, f"tracking.root={finished.folder / 'mlruns'}", f"run={finished.run_id}")
    assert stopped.value.code == 1
    told = capsys.readouterr().out.splitlines()
    assert told[-4:] == [
        f"dev/score: {then['dev/score']:.6f} then, none now",
        "new: none then, 1.000000 now",
        f"test/score: {then['test/score']:.6f} then, 0.125000 now",
        f"{len(then) - 2} of {len(then) + 1} metrics of run {finished.run_id} came out the same",
    ]


def test_a_run_that_did_not_finish_is_refused(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(RuntimeError), open_run(finished.store, "cut", tags={"shopguide.kind": "experiment"}) as cut:
        raise RuntimeError
    with pytest.raises(SystemExit) as stopped:
        run(monkeypatch, f"tracking.root={finished.folder / 'mlruns'}", f"run={cut.id}")
    assert stopped.value.code == 2
    assert "expected a finished run, found one that is FAILED" in capsys.readouterr().err
    with suppress(Pruned), open_run(finished.store, "poor", tags={"shopguide.kind": "experiment"}) as poor:
        raise Pruned("given up after epoch 1")
    with pytest.raises(SystemExit):
        run(monkeypatch, f"tracking.root={finished.folder / 'mlruns'}", f"run={poor.id}")
    assert "found one that its search gave up" in capsys.readouterr().err


def test_what_is_otherwise_is_told_without_a_run(
    finished: Finished, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    client, tags = finished.store.client, finished.store.client.get_run(finished.run_id).data.tags
    words = [f"tracking.root={finished.folder / 'mlruns'}", f"run={finished.run_id}", "check_only=true"]
    before = len(finished.store.find_all("tags.`shopguide.kind` = 'experiment'"))
    changed = {"python": "2.7", "fingerprint.data": "abc", "git.commit": "f00"}
    monkeypatch.setattr("shopguide.experiment.reproduce.installed", lambda: ["torch==1.0"])
    Run(finished.store, finished.run_id).set_tags(changed)
    try:
        run(monkeypatch, *words)
    finally:
        for key in changed:
            client.set_tag(finished.run_id, key, tags[key]) if key in tags else client.delete_tag(finished.run_id, key)
    told = capsys.readouterr().out
    assert "python: 2.7 then, " in told
    assert re.search(r"^torch: [\d.+a-z]+ then, 1.0 now$", told, re.MULTILINE)
    assert "numpy: " in told
    assert f"data: fingerprint abc then, {tags['fingerprint.data']} now" in told
    assert "commit: f00 then, " in told
    assert len(finished.store.find_all("tags.`shopguide.kind` = 'experiment'")) == before
