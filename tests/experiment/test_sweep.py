"""A real sweep by the command: one sweep run, a job a combination, phases below, a table at the end."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shopguide.experiment.sweep import _name_best, sweep_identity
from shopguide.grid import Grid
from shopguide.runs.compare import sweep_table
from shopguide.runs.store import open_store
from shopguide.runs.tree import open_run
from tests.experiment.test_interrupt import ROOT, command, start

GRID = ("-m", "pretrain.epochs=1", "epochs=1,2", "lr=1e-4,1e-3", "finetune.baselines=false")
MORE = tuple(word.replace("lr=1e-4,", "lr=1e-4,2e-4,") for word in GRID)
PLAN = "import sys; from shopguide.train import main; main(); print('torch' in sys.modules)"


def planned(folder: Path, *grid: str) -> list[str]:
    arguments = [*command(folder, *grid)[3:], "sweep.dry_run=true"]
    words = [sys.executable, "-c", PLAN, *arguments]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.splitlines()


def test_two_by_two(tmp_path: Path) -> None:
    *_, told, torch = planned(tmp_path, *GRID)
    assert (told, torch) == ("4 of 4 jobs to do", "False")
    job: subprocess.Popen[str] = start(tmp_path, *GRID)
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
    names = [[c.info.run_name for c in store.find_children(one.info.run_id)] for one in jobs]
    assert names == [["pretrain", "finetune need"], *[["finetune need"]] * 3]
    rows = sweep_table(store, sweep.info.run_id, "dev/score")
    scores = [row["metrics"]["dev/score"] for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert [set(row["settings"]) for row in rows] == [{"lr", "epochs"}] * 4
    assert lines.splitlines()[-1] == f"run_id={sweep.info.run_id}"
    assert f"best by dev/score: {rows[0]['name']}" in lines
    logged = json.loads(store.artifact_folder(sweep.info.run_id, "comparison.json").read_text())
    assert [row["id"] for row in logged["jobs"]] == [row["id"] for row in rows]
    assert store.artifact_folder(sweep.info.run_id, "figures/comparison.png").stat().st_size > 5000

    count = len(store.client.search_runs([store.experiment_id]))
    assert planned(tmp_path, *GRID)[-2] == "0 of 4 jobs to do"
    rest = re.fullmatch(
        r"2 of 6 jobs to do, about [\d,]+ s and (.+) MB of disk \([\d,]+ s and (.+) MB a finished job\)",
        planned(tmp_path, *MORE)[-2],
    )
    assert rest is not None
    assert 0 < float(rest[2]) < 10
    assert float(rest[1]) == pytest.approx(2 * float(rest[2]), abs=0.11)
    fewer = [word.replace("epochs=1,2", "epochs=1,1") for word in GRID if not word.startswith("pretrain")]
    plan = planned(tmp_path, "pretrain.epochs=1", *fewer)
    assert plan[-2] == "0 of 2 jobs to do"
    assert sum("as epochs=1 lr=0.00" in line for line in plan) == 2
    job = start(tmp_path, "pretrain.epochs=1", *fewer, "sweep.disk_gb=1e-9")
    lines, told = job.communicate(timeout=100)
    assert job.returncode == 0, told
    assert lines.count("done before") == 4  # each of the two is there twice
    assert "; 2 of the 4 jobs are of earlier commands" in lines
    assert "GB removed of the sweep's worst jobs" in lines
    job = start(tmp_path, *GRID)
    lines, told = job.communicate(timeout=100)
    assert job.returncode == 0, told
    assert lines.count("done before") == 4
    assert lines.splitlines()[-1] == f"run_id={sweep.info.run_id}"
    assert len(store.client.search_runs([store.experiment_id])) == count


@pytest.mark.parametrize("metrics", [{}, {"dev/score": float("nan")}])
def test_no_job_is_the_best_where_none_has_a_number(
    metrics: dict[str, float], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    with open_run(store, "sweep") as run:
        _name_best(run, [{"name": "lr=9", "id": "0123", "metrics": metrics}], "dev/score", "")
        assert "best_run" not in store.client.get_run(run.id).data.tags
        _name_best(run, [{"name": "lr=1", "id": "4567", "metrics": {"dev/score": 0.5}}], "dev/score", "")
        assert store.client.get_run(run.id).data.tags["best_run"] == "4567"
    told = capsys.readouterr().out.splitlines()
    assert told == ["best by dev/score: none of the jobs has a number there", "best by dev/score: lr=1  run_id=4567"]


def test_jobs_side_by_side_share_a_pretraining(tmp_path: Path) -> None:
    grid = ("-m", "pretrain.epochs=1", "epochs=1", "lr=1e-4,1e-3", "finetune.baselines=false")
    job = start(tmp_path, *grid, "sweep.slots=2")
    lines, told = job.communicate(timeout=400)
    assert job.returncode == 0, told
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    runs = store.client.search_runs([store.experiment_id])
    assert sorted(run.info.run_name.split(" lr=")[0] for run in runs) == [
        *("finetune need", "finetune need", "mlm_then_ft", "mlm_then_ft", "pretrain", "sweep mlm_then_ft over lr"),
    ]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert lines.count(": done in ") == 2


def test_a_cross_validation_chooses_and_trains(tmp_path: Path) -> None:
    chosen = ("cv.folds=2", "cv.choose=[lr]", "cv.candidates.lr=[1e-4,1e-3]", "cv.refit=true")
    grid = ("epochs=1", "finetune.baselines=false", "phases=[finetune]", *chosen)
    lines, told = start(tmp_path, *grid).communicate(timeout=400)
    assert "chosen, the simplest within a standard error of the best: lr=" in lines, told
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    (sweep,) = store.client.search_runs([store.experiment_id], "tags.`shopguide.kind` = 'sweep'")
    *jobs, trained = store.find_children(sweep.info.run_id)
    assert [(job.data.params["data.split.fold"], job.data.params["lr"]) for job in jobs] == [
        *(("0", "0.0001"), ("1", "0.0001"), ("0", "0.001"), ("1", "0.001")),
    ]
    found = json.loads(store.artifact_folder(sweep.info.run_id, "folds.json").read_text())
    assert [set(row["values"]) for row in found["settings"]] == [{"0", "1"}] * 2
    assert sweep.data.tags["chosen"] == f"lr={found['chosen']['lr']}"
    assert trained.info.run_name == f"mlm_then_ft chosen {sweep.data.tags['chosen']}"
    assert (trained.data.params["data.split.fold"], trained.data.params["lr"]) == ("None", found["chosen"]["lr"])
    assert store.resolve(sweep.info.run_id) == trained.info.run_id
    assert len(sweep_table(store, sweep.info.run_id, "dev/score")) == len(jobs)
    again, told = start(tmp_path, *grid).communicate(timeout=400)
    assert again.count("done before") == len(jobs) + 1, told
    assert len(store.find_children(sweep.info.run_id)) == len(jobs) + 1


@pytest.mark.parametrize(
    ("fixed", "varying", "same"),
    [
        (["seed=1", "+experiment=x"], ["lr", "epochs"], True),
        (["experiment=x", "seed=1", "sort_by=test/score", "sweep.dry_run=true"], ["epochs", "lr"], True),
        (["seed=2", "+experiment=x"], ["lr", "epochs"], False),
        (["seed=1", "+experiment=x"], ["lr"], False),
    ],
)
def test_what_makes_two_commands_one_sweep(fixed: list[str], varying: list[str], same: bool) -> None:
    base = Grid([], [], ["lr", "epochs"], ["seed=1", "+experiment=x"])
    assert (sweep_identity(Grid([], [], varying, fixed)) == sweep_identity(base)) == same
