"""A sweep whose jobs another launcher of Hydra's runs: Submitit, here on this machine instead of a SLURM cluster; Ray.

Ray's plugin wants a cloudpickle that joblib refuses: `pip install ray`, `pip install --no-deps hydra-ray-launcher`.
"""

import subprocess
from pathlib import Path

import pytest

from shopguide.runs.store import open_store
from tests.experiment.test_interrupt import start

WORDS = ("-m", "phases=[finetune]", "epochs=1", "lr=1e-4,1e-3")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("launcher", "plugin"),
    [("submitit_local", "hydra_submitit_launcher"), ("ray", "hydra_ray_launcher")],
)
def test_jobs_of_a_launcher_are_below_the_sweeps_run(launcher: str, plugin: str, tmp_path: Path) -> None:
    pytest.importorskip(f"hydra_plugins.{plugin}")
    words = (*WORDS, f"hydra/launcher={launcher}", f"hydra.sweep.dir={tmp_path}/jobs", "finetune.baselines=false")
    job: subprocess.Popen[str] = start(tmp_path, *words)
    lines, told = job.communicate(timeout=300)
    assert job.returncode == 0, told
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    (sweep,) = store.find_all("tags.`shopguide.kind` = 'sweep'")
    jobs = store.find_children(sweep.info.run_id)
    assert sorted(one.info.run_name for one in jobs) == ["mlm_then_ft lr=0.0001", "mlm_then_ft lr=0.001"]
    assert {one.info.status for one in (sweep, *jobs)} == {"FINISHED"}
    assert "best by dev/score" in lines
    job = start(tmp_path, *words, "data.options.behaviours=2")
    assert job.communicate(timeout=300)
    assert job.returncode == 1
    job = start(tmp_path, *words, "sweep.dry_run=true")
    assert "0 of 2 jobs to do" in job.communicate(timeout=100)[0]
