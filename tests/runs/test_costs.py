from pathlib import Path

import pytest

from shopguide.runs.costs import dev_curves, experiment_costs, with_costs
from shopguide.runs.store import MODEL_RUN, open_store
from shopguide.runs.tree import open_run


def test_of_an_experiment(tmp_path: Path) -> None:
    store = open_store(None, "costs", tmp_path)
    told = [
        ("pretrain", {"training_seconds": 3.0, "tokens_per_second": 100.0, "peak_memory_gb": 2.0}, {}),
        ("shared a+b", {"training_seconds": 1.0, "tokens_per_second": 500.0, "parameters": 7.0}, {}),
        ("finetune a", {"training_seconds": 1.0, "tokens_per_second": 500.0, "parameters": 7.0}, {MODEL_RUN: "x"}),
        ("finetune b", {}, {}),
    ]
    with open_run(store, "job", tags={"shopguide.kind": "experiment"}) as job:
        for name, costs, tags in told:
            kind = {"shopguide.kind": "phase", "shopguide.phase": name}
            with open_run(store, name, parent=job.id, tags=kind | tags) as phase:
                phase.log_metrics({f"cost/{key}": value for key, value in costs.items()})
                phase.log_metrics({"dev/loss": 2.0, "train/loss": 3.0}, 5)
        found = experiment_costs(store.find_phases(job.id))
        job.log_metrics(found)
        job.log_metrics({"a/macro_f1.low": 0.1})
    assert found == {
        "cost/training_seconds": 4.0,
        "cost/tokens_per_second": 200.0,
        "cost/peak_memory_gb": 2.0,
        "cost/parameters": 7.0,
    }
    row = {"id": job.id, "name": "job"}
    (with_them,) = with_costs([row], [store.client.get_run(job.id)], "a/macro_f1")
    assert (with_them["seconds"], with_them["low"], with_them["high"]) == (4.0, 0.1, None)
    curves, metrics = dev_curves(store, [row])
    assert list(curves) == list(metrics) == [name for name, _, _ in told]
    assert curves["pretrain"] == {f"job {job.id[:8]}": [(5, 2.0)]}


@pytest.mark.parametrize("metrics", [{}, {"cost/training_seconds": 0.0}])
def test_where_nothing_was_trained(tmp_path: Path, metrics: dict[str, float]) -> None:
    store = open_store(None, "costs", tmp_path)
    with open_run(store, "phase") as phase:
        phase.log_metrics(metrics)
    assert experiment_costs([store.client.get_run(phase.id)]) == metrics
