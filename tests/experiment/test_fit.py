"""Which epoch's metrics stand for a phase, and in which precision it trains."""

from pathlib import Path
from typing import Any

import pytest

from shopguide.checks import parse_config
from shopguide.errors import RunError
from shopguide.experiment import fit
from shopguide.experiment.fit import DevHistory, Place
from shopguide.experiment.run import run_experiment
from tests.conftest import Finished, tiny_settings
from tests.experiment.test_stopping import Curves, train


def test_the_kept_epoch_is_the_best_by_the_monitor_the_first_of_equals() -> None:
    history = DevHistory()
    assert history.kept("dev/loss") == {}
    history.load_state_dict(
        {
            "epochs": [
                {"dev/loss": 2.0, "dev/accuracy": 0.5},
                {"dev/loss": 1.0, "dev/accuracy": 0.6},
                {"dev/loss": 1.5, "dev/accuracy": 0.6},
            ]
        }
    )
    assert history.kept("dev/loss") == {"dev/loss": 1.0, "dev/accuracy": 0.6}
    assert history.kept("dev/accuracy")["dev/loss"] == 1.0
    assert history.kept(None)["dev/loss"] == 1.5


@pytest.mark.parametrize(("native", "chosen"), [(True, "bf16-mixed"), (False, "32-true")])
def test_half_precision_is_chosen_where_the_processor_has_it(
    native: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fit.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(fit.torch.backends.mps, "is_available", lambda: False)
    monkeypatch.setattr(fit, "good_at_bf16", lambda device: native and device == "cpu")
    assert fit.chosen_precision("auto") == fit.chosen_precision("cpu") == chosen
    assert fit.chosen_precision("tpu") == "32-true"


def test_a_precision_is_chosen_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def settled(folder: str, precision: str = "auto") -> Any:
        return fit._settled(Place(tmp_path / folder, trainer={"precision": precision}, resume=True))["precision"]

    monkeypatch.setattr(fit, "chosen_precision", lambda _: "bf16-mixed")
    assert settled("one") == "bf16-mixed"
    assert settled("one", "32-true") == "32-true"
    monkeypatch.setattr(fit, "chosen_precision", lambda _: "32-true")
    assert settled("two") == "32-true"
    (tmp_path / "one" / "last.ckpt").touch()
    assert settled("one") == "bf16-mixed", "training that goes on takes the one that it began with"
    assert fit._settled(Place(tmp_path, trainer={})) == {}


def test_half_precision_trains_to_about_the_same_loss(finished: Finished, tmp_path: Path) -> None:
    losses = {}
    for precision in ("32-true", "bf16-mixed"):
        own = tmp_path / precision
        settings = {"trainer.precision": precision, "phases": ["pretrain"], "data.cache_dir": finished.folder / "cache"}
        found = run_experiment(parse_config(tiny_settings(own, **settings)))
        losses[precision] = found.metrics["pretrain/dev/loss"]
    assert losses["32-true"] != losses["bf16-mixed"]
    assert losses["bf16-mixed"] == pytest.approx(losses["32-true"], rel=0.01)


@pytest.mark.parametrize(
    ("trainer", "rank", "device"),
    [
        ({}, None, "cuda:0"),
        ({"devices": [3]}, None, "cuda:3"),
        ({"devices": [2, 5]}, "1", "cuda:5"),
        ({"devices": 2, "accelerator": "gpu"}, "1", "cuda:1"),
        ({"accelerator": "cpu"}, None, "cpu"),
    ],
)
def test_what_is_done_beside_training_is_done_where_it_trains(
    trainer: dict[str, Any], rank: str | None, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    if rank is not None:
        monkeypatch.setenv("LOCAL_RANK", rank)
    assert Place("x", trainer=trainer).device == device


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dev", [True, False])
def test_a_training_that_diverges_is_told(dev: bool, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="pretrain: training diverged, its loss is not a number; a lower learning rate"):
        train(tmp_path, Curves(), dev=dev, lr=1e38)
