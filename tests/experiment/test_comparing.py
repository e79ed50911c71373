"""Comparing runs that are there: none is trained here."""

import re
from pathlib import Path
from typing import Any

import pytest

from shopguide.errors import RunError
from shopguide.experiment.compare import PAGE, compare_runs, log_page, render
from shopguide.runs.costs import experiment_costs
from shopguide.runs.identity import IDENTITY
from shopguide.runs.store import REPRODUCES, Store, open_store
from shopguide.runs.tree import open_run

SETTINGS = [(lr, epochs, seed) for lr in ("1e-4", "3e-4") for epochs in ("1", "2") for seed in ("0", "1", "2")]


def value(lr: str, epochs: str, seed: str) -> float:
    return 0.5 + 0.1 * (lr == "3e-4") + 0.05 * (epochs == "2") + 0.01 * int(seed) ** 2 * (2 if epochs == "2" else 1)


def swept(store: Store, name: str, settings: list[tuple[str, str, str]] = SETTINGS) -> str:
    with open_run(store, name, tags={"shopguide.kind": "sweep"}) as sweep:
        for lr, epochs, seed in settings:
            tags = {"shopguide.kind": "experiment"}
            with open_run(store, f"lr={lr} epochs={epochs} seed={seed}", parent=sweep.id, tags=tags) as job:
                job.log_params({"lr": lr, "optimizer.lr": lr, "epochs": epochs, "seed": seed, "same": "x"})
                own = value(lr, epochs, seed)
                job.log_metrics({"dev/score": own, "need/macro_f1": own})
                phase = {"shopguide.kind": "phase", "shopguide.phase": "finetune need"}
                with open_run(store, "finetune need", parent=job.id, tags=phase) as run:
                    for step in (10, 20):
                        run.log_metrics({"dev/macro_f1": own - 1 / step}, step)
                    costs = {"training_seconds": 2.0, "tokens_per_second": 500.0, "peak_memory_gb": 1.5}
                    costs["parameters"] = 1e6
                    run.log_metrics({f"cost/{key}": cost for key, cost in costs.items()})
                job.log_metrics({"need/macro_f1.low": own - 0.1, "need/macro_f1.high": own + 0.1})
                job.log_metrics(experiment_costs(store.find_phases(job.id)))
    return sweep.id


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, str]:
    store = open_store(None, "compared", tmp_path_factory.mktemp("runs"))
    return store, swept(store, "sweep over lr, epochs, seed")


def test_the_latest_sweep_by_setting(shelf: tuple[Store, str]) -> None:
    store, sweep = shelf
    found = compare_runs(store, [], None, "need/macro_f1", None)
    assert [row["settings"] for row in found.settings] == [
        {"epochs": epochs, "lr": lr} for lr in ("3e-4", "1e-4") for epochs in ("2", "1")
    ]
    assert found.settings[0]["mean"] == pytest.approx(sum(value("3e-4", "2", s) for s in "012") / 3)
    assert found.settings[1]["p"] < 0.1
    assert (found.settings[0]["tokens_per_second"], found.settings[0]["parameters"]) == (500.0, 1e6)
    log_page(store, found)
    text = Path(store.artifact_folder(sweep, PAGE)).read_text(encoding="utf-8")
    assert text == found.html
    assert re.findall("<h2>(.*?)</h2>", text) == [
        "Learning rate and epochs", "Settings", "Quality and time", "Learning curves",
    ]  # fmt: skip
    assert not re.findall(r"(?:src|href)=(?!.data:)", text)


def test_a_baseline_and_the_terminal(shelf: tuple[Store, str]) -> None:
    store, sweep = shelf
    base = next(run for run in store.find_children(sweep) if run.info.run_name == "lr=1e-4 epochs=1 seed=2")
    found = compare_runs(store, [sweep[:8]], None, "dev/score", base.info.run_id[:8])
    assert found.settings[-1]["is_baseline"]
    assert found.settings[0]["gain"] == pytest.approx(
        sum(value("3e-4", "2", s) - value("1e-4", "1", s) for s in "012") / 3
    )
    from rich.console import Console

    console = Console(width=160, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(render(found))
    told = console.export_text()
    assert re.search(r"3e-4 .*\+0\.1\d{3}", told)
    assert "gain: over epochs=1, lr=1e-4" in told


def test_runs_by_name_and_by_filter(shelf: tuple[Store, str]) -> None:
    store, sweep = shelf
    jobs = [run.info.run_id for run in store.find_children(sweep)]
    assert len(compare_runs(store, jobs[:2], None, "dev/score", None).settings) == 1
    found = compare_runs(store, [], "params.lr = '3e-4' and params.seed = '1'", "need/macro_f1", None)
    assert [row["settings"] for row in found.settings] == [{"epochs": "2"}, {"epochs": "1"}]
    assert "0.570 – 0.770" in found.html  # the interval of the one run's test examples


def test_a_repetition_is_no_further_sample(tmp_path: Path) -> None:
    store = open_store(None, "again", tmp_path)
    sweep = swept(store, "sweep", SETTINGS[:3])
    first = store.find_children(sweep)[0]
    with open_run(store, "again", tags={"shopguide.kind": "experiment", REPRODUCES: first.info.run_id}) as again:
        again.log_params(first.data.params)
        again.log_metrics(first.data.metrics)
    for _time in range(2):
        with open_run(store, "twin", tags={"shopguide.kind": "experiment", IDENTITY: "abc"}) as twin:
            twin.log_params({**first.data.params, "seed": "3"})
            twin.log_metrics(first.data.metrics)
    compared = compare_runs(store, [], "metrics.`dev/score` > 0", "dev/score", None)
    (found,) = compared.settings
    assert len(found["values"]) == 4
    assert compared.about.endswith("; runs left out: 1 made again")
    for one in store.find_all("attributes.run_name = 'twin'"):
        assert compare_runs(store, [], "metrics.`dev/score` > 0", "dev/score", one.info.run_id).settings
    assert compare_runs(store, ["latest"], None, "dev/score", None).sweep == sweep


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((["000000"], None, "dev/score", None), "runs=000000: expected the id .* found none"),
        (([], None, "dev/scor", None), "metric=dev/scor: none of the 12 runs has it; did you mean `dev/score`"),
        (([], None, "dev/score", "abcdef"), "baseline=abcdef: expected the id of one of the compared runs"),
        (([], "lr is 3", "dev/score", None), "filter=lr is 3: expected an MLflow filter"),
        (([], "params.lr = '7'", "dev/score", None), "filter=params.lr = '7': no experiment's run is like that"),
    ],
)
def test_mistakes(shelf: tuple[Store, str], words: Any, message: str) -> None:
    with pytest.raises(RunError, match=message):
        compare_runs(shelf[0], *words)


def test_no_sweep_yet(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no sweep has been run yet"):
        compare_runs(open_store(None, "none", tmp_path), [], None, "dev/score", None)


def test_runs_whose_time_is_not_known(tmp_path: Path) -> None:
    store = open_store(None, "untimed", tmp_path)
    for lr in ("1e-4", "3e-4"):
        with open_run(store, f"lr={lr}", tags={"shopguide.kind": "experiment"}) as job:
            job.log_params({"lr": lr})
            job.log_metrics({"dev/score": float(lr) * 1000})
    found = compare_runs(store, [], "metrics.`dev/score` > 0", "dev/score", None)
    assert [row["settings"]["lr"] for row in found.settings] == ["3e-4", "1e-4"]
    assert "Quality and time" not in found.html
