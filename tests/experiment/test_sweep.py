"""A real sweep by the command: one sweep run, a job a combination, phases below, a table at the end."""

import json
import subprocess
from pathlib import Path

from shopguide.runs.compare import sweep_table
from shopguide.runs.store import open_store
from tests.experiment.test_interrupt import start


def test_two_by_two(tmp_path: Path) -> None:
    job: subprocess.Popen[str] = start(
        tmp_path, "-m", "pretrain.epochs=1", "epochs=1,2", "lr=1e-4,1e-3", "finetune.baselines=false"
    )
    lines, told = job.communicate(timeout=400)
    assert job.returncode == 0, told
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    runs = store.client.search_runs([store.experiment_id], "tags.`shopguide.kind` = 'sweep'")
    (sweep,) = runs
    assert sweep.info.status == "FINISHED"
    jobs = store.find_children(sweep.info.run_id)
    assert [j.info.run_name for j in jobs] == [
        f"mlm_then_ft epochs={epochs} lr={lr}" for epochs in (1, 2) for lr in ("0.0001", "0.001")
    ]
    for one in jobs:
        names = [c.info.run_name for c in store.find_children(one.info.run_id)]
        assert names == ["pretrain", "finetune need"]
    rows = sweep_table(store, sweep.info.run_id, "dev/score")
    scores = [row["metrics"]["dev/score"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert [set(row["settings"]) for row in rows] == [{"lr", "epochs"}] * 4
    assert lines.splitlines()[-1] == f"run_id={sweep.info.run_id}"
    assert f"best by dev/score: {rows[0]['name']}" in lines
    logged = json.loads(store.artifact_folder(sweep.info.run_id, "comparison.json").read_text())
    assert [row["id"] for row in logged["jobs"]] == [row["id"] for row in rows]
    assert store.artifact_folder(sweep.info.run_id, "figures/comparison.png").stat().st_size > 5000
