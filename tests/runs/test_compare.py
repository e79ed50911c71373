from pathlib import Path

import pytest

from shopguide.runs.compare import sweep_table
from shopguide.runs.store import open_store
from shopguide.runs.tree import open_run


def test_a_long_key_that_says_another_thing_is_shown(tmp_path: Path) -> None:
    store = open_store(None, "sweeps", tmp_path)
    with open_run(store, "sweep") as sweep:
        for lr, slow in (("1", "1"), ("2", "1"), ("1", "2")):
            with open_run(store, lr, parent=sweep.id) as run:
                run.log_params({"lr": lr, "optimizer.lr": lr, "pretrain.lr": slow})
                run.log_metrics({"dev/score": 0.5})
    rows = sweep_table(store, sweep.id, "dev/score")
    assert [list(row["settings"]) for row in rows] == [["lr", "pretrain.lr"]] * 3


@pytest.mark.parametrize(("sort_by", "order"), [("dev/score", ["high", "low"]), ("dev/loss", ["low", "high"])])
def test_the_best_job_stands_first_and_those_without_a_number_last(
    sort_by: str, order: list[str], tmp_path: Path
) -> None:
    store = open_store(None, "sweeps", tmp_path)
    with open_run(store, "sweep") as sweep:
        for name, value in [("diverged", float("nan")), ("low", 0.1), ("none", None), ("high", 0.9)]:
            with open_run(store, name, parent=sweep.id) as run:
                run.log_params({"lr": name})
                run.log_metrics({} if value is None else {sort_by: value})
    rows = sweep_table(store, sweep.id, sort_by)
    assert [row["name"] for row in rows[:2]] == order
    assert {row["name"] for row in rows[2:]} == {"diverged", "none"}
    assert rows[0]["settings"] == {"lr": order[0]}
