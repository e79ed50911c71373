"""What was stopped, wherever that was, goes on to the same weights and curves as what was not."""

import os
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.loggers.logger import Logger
from transformers import AutoConfig, AutoModelForMaskedLM

from shopguide.config import OptimizerConfig
from shopguide.experiment import stopping
from shopguide.experiment.fit import Fitted, Place, Plan, fit
from shopguide.objectives.language_model import MaskedLM
from shopguide.text.batches import Batches, BatchLoader
from shopguide.text.examples import Collate, MaskedExamples
from shopguide.text.masking import Masker
from shopguide.text.plan import BatchPlan
from tests.conftest import TINY

pytestmark = pytest.mark.filterwarnings("ignore")
ROOT = Path(__file__).parents[2]
VOCABULARY, LENGTH, ROWS, EPOCHS = 60, 12, 3, 3
SPEED = ("tokens_per_second", "waiting_share", "mfu")


class Table:
    def __init__(self, rows: int, varied: bool) -> None:
        self.lengths = np.random.default_rng(0).integers(5, LENGTH, rows) if varied else np.full(rows, LENGTH)

    def __getitem__(self, row: int) -> Any:
        draw, length = np.random.default_rng(row), self.lengths[row]
        return draw.integers(5, VOCABULARY, length).astype(np.int32), np.arange(length, dtype=np.int32)


class Curves(Logger):
    """As a run does, takes no point again."""

    def __init__(self) -> None:
        self.points: dict[str, dict[int, float]] = {}

    name = version = property(lambda _self: "curves")  # type: ignore[assignment]

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        for name, value in metrics.items():
            own = self.points.setdefault(name, {})
            assert step is not None
            own.setdefault(step, float(value))

    def log_hyperparams(self, *_: Any, **_more: Any) -> None: ...


class Signals(Callback):
    """Ctrl-C at the n-th call of a hook, `times` times."""

    def __init__(self, hook: str, call: int, number: int = signal.SIGINT, times: int = 1) -> None:
        self.left = call

        def send(*_: Any) -> None:
            self.left -= 1
            if self.left == 0:
                for _time in range(times):
                    os.kill(os.getpid(), number)

        setattr(self, hook, send)


def loader(rows: int, shuffle: bool, tokens: int | None = None, workers: int = 0) -> BatchLoader:
    masker = Masker(mask_id=4, vocab_size=VOCABULARY, special_ids=frozenset(range(5)), seed=0)
    table: Any = Table(rows, varied=tokens is not None)
    plan = BatchPlan(table.lengths, rows if tokens else ROWS, tokens, 0, shuffle, unpadded=tokens is not None)
    return BatchLoader(MaskedExamples(table, masker), Batches(plan), Collate(0), workers)


def train(
    folder: Path,
    curves: Curves,
    callbacks: Sequence[Callback] = (),
    dev: bool = True,
    tokens: int | None = None,
    workers: int = 0,
    every: int = 1,
    lr: float = 1e-2,
    patience: int = 2,
    **trainer: Any,
) -> tuple[dict[str, torch.Tensor], Fitted]:
    torch.manual_seed(0)
    shape = AutoConfig.for_model(**TINY, vocab_size=VOCABULARY, hidden_dropout_prob=0.3)
    objective = MaskedLM(AutoModelForMaskedLM.from_config(shape), OptimizerConfig(lr=lr))
    settings = {"accelerator": "cpu", "precision": "32-true", "enable_progress_bar": False, "gradient_clip_val": 1.0}
    place = Place(folder, 0, every, {**settings, **trainer}, curves, resume=True, callbacks=callbacks)
    plan = Plan("pretrain", EPOCHS, "dev/loss" if dev else None, patience if dev else None, ema=0.5)
    held_out = loader(2 * ROWS, False) if dev else None
    fitted = fit(objective, loader(5 * ROWS, True, tokens, workers), held_out, plan, place)
    return {name: weight.clone() for name, weight in objective.state_dict().items()}, fitted


def assert_same(
    whole: tuple[dict[str, torch.Tensor], Fitted],
    resumed: tuple[dict[str, torch.Tensor], Fitted],
    points: Curves,
    others: Curves,
) -> None:
    assert points.points.keys() == others.points.keys()
    for name, curve in points.points.items():
        assert list(curve) == list(others.points[name]), name
        if not name.endswith(SPEED):
            assert curve == others.points[name], name
    assert whole[1].dev == resumed[1].dev
    assert resumed[1].tokens_per_second > 0
    assert tokens(whole[1]) == pytest.approx(tokens(resumed[1]))
    for name, weight in whole[0].items():
        torch.testing.assert_close(resumed[0][name], weight, rtol=0, atol=0, msg=name)


def tokens(fitted: Fitted) -> float:
    """Of all processes that trained."""
    return fitted.tokens_per_second * fitted.seconds


STOPS = [
    *(("on_train_batch_start", call) for call in (1, 3, 5, 6, 9, 10, 15)),
    *(("on_train_batch_end", call) for call in (1, 5, 6, 15)),
    *(("on_validation_start", call) for call in (1, 2, 3)),
    *(("on_validation_batch_end", call) for call in (1, 4)),
    *(("on_train_epoch_end", call) for call in (1, 3)),
    ("on_train_epoch_start", 2),
    ("on_before_optimizer_step", 7),
    ("on_train_start", 1),
    ("on_train_end", 1),
]


def stopped(folder: Path, points: Curves, callback: Signals, **settings: Any) -> None:
    try:
        train(folder, points, [callback], **settings)
    except KeyboardInterrupt:
        assert (folder / "last.ckpt").exists()
    else:
        assert callback.left > 0, "it was not heeded"


SETTINGS: list[dict[str, Any]] = [
    {},
    {"dev": False},
    {"accumulate_grad_batches": 2},
    {"val_check_interval": 2},
    {"tokens": 30, "every": 4},
    {"tokens": 40, "workers": 1},
    {"devices": 2},
]


@pytest.mark.parametrize("number", range(len(SETTINGS)), ids=[" ".join(settings) for settings in SETTINGS])
def test_stopped_anywhere_it_goes_on_to_the_same(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{Path(__file__).parent}")
    settings, points = SETTINGS[number], Curves()
    whole = train(tmp_path / "whole", points, **settings)
    stops = STOPS[number % 4 :: 12 if "devices" in settings else 4] if number else STOPS
    for hook, call in stops:
        others, folder = Curves(), tmp_path / f"{hook}{call}"
        asks = signal.SIGTERM if "devices" in settings else signal.SIGINT
        stopped(folder, others, Signals(hook, call, asks), **settings)
        assert_same(whole, train(folder, others, **settings), points, others)


def test_stopped_again_and_again(tmp_path: Path) -> None:
    points, others = Curves(), Curves()
    whole = train(tmp_path / "whole", points)
    for hook, call in [("on_train_batch_start", 2), ("on_train_batch_end", 1), ("on_validation_start", 1)] * 2:
        stopped(tmp_path, others, Signals(hook, call, signal.SIGTERM))
    assert_same(whole, train(tmp_path, others), points, others)


def test_asked_twice_it_stops_at_once_and_goes_on_from_the_epoch_before(tmp_path: Path) -> None:
    points, others = Curves(), Curves()
    whole = train(tmp_path / "whole", points)
    stopped(tmp_path, others, Signals("on_validation_start", 2, times=2))
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == 5
    assert_same(whole, train(tmp_path, others), points, others)


class Fails(Signals):
    def on_validation_end(self, *_: Any) -> None:
        if self.left <= 0:
            raise RuntimeError("given up")


def test_to_be_asked_is_not_forgotten_for_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path, Curves(), [Fails("on_validation_start", 2)])


def test_what_stopped_early_is_over_where_its_phase_goes_on(tmp_path: Path) -> None:
    for _time in range(2):
        train(tmp_path, Curves(), lr=1e-12, patience=1)
        assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == 10


class Breaks(Callback):
    def on_before_optimizer_step(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.global_step == 7:
            raise RuntimeError("out of memory")


def test_what_breaks_goes_on_from_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    points = Curves()
    whole = train(tmp_path / "whole", points)
    for seconds, step in ((1e9, 5), (0.0, 7)):
        monkeypatch.setattr(stopping, "SAVE_EVERY", seconds)
        others, folder = Curves(), tmp_path / str(step)
        with pytest.raises(RuntimeError, match="out of memory"):
            train(folder, others, [Breaks()])
        assert torch.load(folder / "last.ckpt", weights_only=True)["global_step"] == step
        assert_same(whole, train(folder, others), points, others)


def test_signals_are_what_they_were_afterwards(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in stopping.SIGNALS]
    train(tmp_path, Curves())
    stopped(tmp_path / "stopped", Curves(), Signals("on_train_batch_start", 1))
    assert [signal.getsignal(number) for number in stopping.SIGNALS] == before
