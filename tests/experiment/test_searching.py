"""Searches with a made-up experiment; one by the command, killed and finished by itself."""

import dataclasses
import math
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from shopguide.axes import Axis
from shopguide.checks import parse_config
from shopguide.command_line.command import Command
from shopguide.command_line.jobs import check_all
from shopguide.config import Config
from shopguide.errors import ConfigError, DataError, Pruned, RunError
from shopguide.experiment import search
from shopguide.experiment.compare import compare_runs
from shopguide.experiment.run import Job, Outcome
from shopguide.experiment.search import Search, open_study, print_search
from shopguide.grid import Grid
from shopguide.runs.store import PRUNED, open_store
from shopguide.train import OPEN_KEYS, searches
from tests.conftest import tiny_settings
from tests.experiment.test_interrupt import command, start

pytest.importorskip("optuna")
AXES = (Axis("lr", low=1e-5, high=1e-2, log=True), Axis("epochs", ("1", "2", "4")))
Found = list[tuple[float, int]]


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> Found:
    """The settings of the jobs that were run; the best is lr = 1e-3, epochs = 4."""
    found: Found = []

    def experiment(config: Config, job: Job) -> Outcome:
        assert config.lr is not None
        assert config.epochs is not None
        assert job.label == f"lr={config.lr:.4g} epochs={config.epochs}"
        found.append((config.lr, config.epochs))
        score = 1 - abs(math.log10(config.lr) + 3) / 4 + config.epochs / 100
        return Outcome(f"run{len(found)}", score, {"dev/score": score})

    monkeypatch.setattr(search, "run_experiment", experiment)
    return found


def grid_of(folder: Path, **changes: Any) -> Grid:
    plain = parse_config(tiny_settings(folder, **{"sweep.search": "tpe", **changes}))

    def settings(words: list[str]) -> Config:
        own = dict(word.split("=") for word in words)
        return dataclasses.replace(plain, lr=float(own["lr"]), epochs=int(own["epochs"]))

    return Grid([plain], [], ["lr", "epochs"], [], AXES, settings)


def test_a_search_that_was_cut_goes_on_as_if_it_had_not_been(tmp_path: Path, tried: Found) -> None:
    assert Search(grid_of(tmp_path, **{"sweep.trials": 9}), "whole").run() == 0
    whole = list(tried)
    assert len(whole) == 9
    tried.clear()
    for trials in (2, 6, 9):
        assert Search(grid_of(tmp_path, **{"sweep.trials": trials}), "cut").run() == 0
    assert tried == whole


def test_a_plan_tells_where_the_space_has_fewer_settings_than_jobs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grid = grid_of(tmp_path, **{"sweep.trials": 9})
    print_search(grid, None)
    assert capsys.readouterr().out.endswith("9 of 9 jobs to do\n")
    whole = Axis("lr", low=1, high=2, whole=True)
    print_search(dataclasses.replace(grid, axes=(whole, AXES[1])), None)
    told = "9 of 9 jobs to do; only 6 settings differ, a job that was done is not done again\n"
    assert capsys.readouterr().out.endswith(told)


def test_it_learns_from_what_was_tried(tmp_path: Path, tried: Found) -> None:
    Search(grid_of(tmp_path, **{"sweep.trials": 30}), "s").run()
    first, last = ([abs(math.log10(lr) + 3) for lr, _ in part] for part in (tried[:10], tried[-10:]))
    assert sum(last) < 0.7 * sum(first)


def test_a_cut_job_is_the_first_of_the_next_command(
    tmp_path: Path, tried: Found, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = search.run_experiment

    def interrupted(config: Config, job: Job) -> Outcome:
        if len(tried) == 3:
            raise KeyboardInterrupt
        return whole(config, job)

    monkeypatch.setattr(search, "run_experiment", interrupted)
    grid = grid_of(tmp_path, **{"sweep.trials": 5})
    with pytest.raises(KeyboardInterrupt):
        Search(grid, "s").run()
    (cut,) = (trial for trial in open_study(grid.configs[0], "s").get_trials() if trial.state.name == "RUNNING")
    monkeypatch.setattr(search, "run_experiment", whole)
    Search(grid, "s").run()
    assert len(tried) == 5
    assert tried[3] == (float(f"{cut.params['lr']:.4g}"), int(cut.params["epochs"]))


def test_jobs_that_fail_do_not_count_and_three_in_a_row_end_it(
    tmp_path: Path, tried: Found, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, calls = search.run_experiment, iter(range(100))

    def broken(config: Config, job: Job) -> Outcome:
        if next(calls) in (0, 3, 4, 5, 6):
            raise DataError("no such product")
        return whole(config, job)

    monkeypatch.setattr(search, "run_experiment", broken)
    assert Search(grid_of(tmp_path, **{"sweep.trials": 4}), "s").run() == 4
    assert len(tried) == 2
    told = capsys.readouterr().err
    assert told.count("no such product") == 4
    assert "search: stopped, as 3 jobs failed" in told


def test_what_is_given_up_or_diverges_counts_and_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ends = iter([0.5, float("nan"), Pruned("given up after epoch 1"), 0.25])

    def experiment(_config: Config, _job: Job) -> Outcome:
        end = next(ends)
        if isinstance(end, Exception):
            raise end
        return Outcome("run", end, {"dev/score": end})

    monkeypatch.setattr(search, "run_experiment", experiment)
    grid = grid_of(tmp_path, **{"sweep.trials": 4, "sweep.prune": "median"})
    assert Search(grid, "s").run() == 0
    study = open_study(grid.configs[0], "s")
    assert [trial.state.name for trial in study.get_trials()] == ["COMPLETE", "PRUNED", "PRUNED", "COMPLETE"]
    assert study.best_value == 0.5
    print_search(grid, "s")
    out = capsys.readouterr().out
    assert out.count("given up ") == 3
    assert "0 of 4 jobs to do" in out


def test_what_cannot_be_told_of_a_job_is_a_failure(
    tmp_path: Path, tried: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    import optuna

    grid = grid_of(tmp_path, **{"sweep.trials": 3})

    def refused(words: list[str]) -> Config:
        if "epochs=2" in words:
            raise ConfigError("epochs=2 does not go with it")
        assert grid.settings is not None
        return grid.settings(words)  # type: ignore[no-any-return]

    optuna.Trial(open_study(grid.configs[0], "s"), open_study(grid.configs[0], "s").ask()._trial_id)  # no settings yet
    found = Search(dataclasses.replace(grid, settings=refused), "s")
    found.run()
    found.study.enqueue_trial({"lr": 1e-3, "epochs": "2"})
    (trial,) = [found.study.ask(found._kinds)]
    assert not search.run_trial(lambda: refused(found.typed(trial)), Job("s", "x"), found.study, trial)
    assert "error: job x: epochs=2 does not go with it" in capsys.readouterr().err
    silent = found.study.ask(found._kinds)
    found.settle(silent.number)
    found.settle(silent.number)
    states = [one.state.name for one in found.study.get_trials()]
    assert (states[0], states[-2:]) == ("FAIL", ["FAIL", "FAIL"])
    assert states.count("COMPLETE") == len(tried) == 3


def test_by_another_metric_it_is_another_search(
    tmp_path: Path, tried: Found, capsys: pytest.CaptureFixture[str]
) -> None:
    Search(grid_of(tmp_path, **{"sweep.trials": 2}), "s").run()
    grid = grid_of(tmp_path, **{"sweep.trials": 2, "sort_by": "pretrain/dev/loss"})
    assert not open_study(grid.configs[0], "s").get_trials()
    assert Search(grid, "s").run() == 3
    assert "sort_by=pretrain/dev/loss: expected a metric of the job, which has dev/score" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "whole"),
    [
        ("++model.config.num_hidden_layers=interval(2,6)", True),
        ("++trainer.accumulate_grad_batches=interval(1,4)", True),
        ("++trainer.gradient_clip_val=interval(1,4)", False),
        ("++trainer.gradient_clip_val=int(interval(1,4))", True),
    ],
)
def test_below_an_open_key_an_interval_is_of_whole_numbers_unless_it_is_of_a_fraction(
    words: str, whole: bool, tmp_path: Path
) -> None:
    typed = ["-m", words, "sweep.search=random", f"tracking.root={tmp_path}"]
    train = Command("train", parse_config, lambda _config: None, searches=searches, open_keys=OPEN_KEYS)
    grid, _ = check_all(train, typed)
    assert grid is not None
    assert [axis.whole for axis in grid.axes] == [whole]


def test_time_is_a_budget(
    tmp_path: Path, tried: Found, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter(range(0, 100_000, 1000))
    monkeypatch.setattr(search.time, "monotonic", lambda: next(clock))
    Search(grid_of(tmp_path, **{"sweep.hours": 1.0}), "s").run()
    assert len(tried) == 4  # of 1,000 s each
    assert "search: 4 of 20 jobs in sweep.hours=1; with more, the same command goes on" in capsys.readouterr().out


def test_an_interval_of_a_setting_in_whole_numbers_is_of_whole_numbers(tmp_path: Path) -> None:
    typed = ["-m", "epochs=interval(1,3)", "finetune.label_smoothing=interval(0,1)", "sweep.search=random"]
    typed += [f"tracking.root={tmp_path}"]
    grid, _ = check_all(Command("train", parse_config, lambda _config: None, searches=searches), typed)
    assert grid is not None
    assert [(axis.key, axis.whole) for axis in grid.axes] == [("epochs", True), ("finetune.label_smoothing", False)]
    found = Search(grid, "s")
    trial = next(found.jobs())
    epochs, smoothing = found.typed(trial)[-2:]
    assert epochs in {f"epochs={number}" for number in (1, 2, 3)}
    assert 0 < float(smoothing.partition("=")[2]) < 1


def test_lower_is_better_where_it_is(tmp_path: Path) -> None:
    grid = grid_of(tmp_path, sort_by="pretrain/dev/loss")
    assert open_study(grid.configs[0], "s").direction.name == "MINIMIZE"


SEARCH = ("-m", "epochs=1,2", "lr=interval(1e-4,1e-2)", "sweep.search=random", "finetune.baselines=false")


@pytest.mark.slow
def test_a_killed_search_is_finished_by_its_own_command(tmp_path: Path) -> None:
    words = (*SEARCH, "phases=[finetune]", "sweep.trials=3")
    job: subprocess.Popen[str] = start(tmp_path, *words)
    assert job.stdout is not None
    for line in job.stdout:
        if line.startswith("run_id="):  # the first job is done
            break
    os.kill(job.pid, signal.SIGKILL)
    job.wait()
    job = start(tmp_path, *words)
    lines, told = job.communicate(timeout=200)
    assert job.returncode == 0, told
    assert "goes on" in lines
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    sweeps = store.find_all("tags.`shopguide.kind` = 'sweep'")
    jobs = store.find_children(sweeps[0].info.run_id)
    assert (len(sweeps), len(jobs)) == (1, 3)
    assert {one.info.status for one in jobs} == {"FINISHED"}
    assert len({one.info.run_name for one in jobs}) == 3


@pytest.mark.slow
def test_jobs_side_by_side_are_given_up(tmp_path: Path) -> None:
    words = (*SEARCH, "phases=[finetune]", "sweep.trials=5", "sweep.slots=2", "sweep.prune=halving", "epochs=2")
    words = (*words, "finetune.monitor=dev/loss")
    words = tuple(word for word in words if word != "epochs=1,2")
    job: subprocess.Popen[str] = start(tmp_path, *words)
    lines, told = job.communicate(timeout=400)
    assert job.returncode == 0, told
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    (sweep,) = store.find_all("tags.`shopguide.kind` = 'sweep'")
    jobs = store.find_children(sweep.info.run_id)
    assert len(jobs) == 5
    pruned = [one for one in jobs if PRUNED in one.data.tags]
    assert pruned
    assert {one.info.status for one in pruned} == {"KILLED"}
    assert {one.info.status for one in jobs if one not in pruned} == {"FINISHED"}
    assert "PRUNED" in lines
    with pytest.raises(RunError, match="found none: its search gave it up: given up after epoch 1"):
        store.task_runs(pruned[0].info.run_id, "need")
    assert (
        f"runs left out: {len(pruned)} given up by their search"
        in compare_runs(store, [], None, "dev/score", None).about
    )


def test_a_search_needs_m_and_something_to_vary(tmp_path: Path) -> None:
    for words, fault in (
        (("sweep.search=tpe",), "goes with -m"),
        (("-m", "sweep.search=tpe"), "nothing varies"),
        (("-m", "lr=interval(1e-4,1e-3)"), "values between two are looked for with sweep.search=tpe"),
        (("lr=interval(1e-4,1e-3)", "sweep.search=tpe"), "goes with -m and sweep.search=tpe: it stands for several"),
        (("lr=1e-4,1e-3",), "lr=1e-4,1e-3: goes with -m (or cv.folds=5)"),
        (("-m", "lr=1e-4,1e-3", "resume=abcdef"), "resume=abcdef: goes without -m"),
        (("-m", "model=interval(1,3)", "sweep.search=tpe"), "expected names of choices, as in model="),
        (("-m", "lr=1e-4,1e-3", "sweep.trials=3"), "sweep.trials=3: goes with sweep.search=tpe"),
        (("-m", "lr=1e-4,1e-3", "sweep.prune=median"), "prune and hours go with sweep.search"),
        (("-m", "lr=1e-4,1e-3", "sweep.search=tpe", "cv.folds=2"), "a search has no folds"),
        (("-m", "epochs=1,2", "sweep.search=tpe", "sweep.prune=halving"), "compares jobs of one length, and epochs"),
        (
            ("-m", "lr=1e-4,1e-3", "sweep.slots=2", "hydra/launcher=submitit_local"),
            "goes with a grid and sweep.slots=1",
        ),
    ):
        done = subprocess.run(command(tmp_path, *words), capture_output=True, text=True, timeout=100)
        assert done.returncode == 2, words
        assert fault in done.stderr, words
