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
VOCABULARY, LENGTH, ROWS, EPOCHS = 60, 12, 3, 3
SPEED = ("tokens_per_second", "waiting_share", "mfu")


class Table:
    def __init__(self, rows: int) -> None:
        self.lengths = np.full(rows, LENGTH)

    def __getitem__(self, row: int) -> Any:
        draw = np.random.default_rng(row)
        return draw.integers(5, VOCABULARY, LENGTH).astype(np.int32), np.arange(LENGTH, dtype=np.int32)


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


def loader(rows: int, shuffle: bool) -> BatchLoader:
    masker = Masker(mask_id=4, vocab_size=VOCABULARY, special_ids=frozenset(range(5)), seed=0)
    table: Any = Table(rows)
    plan = BatchPlan(table.lengths, ROWS, None, 0, shuffle)
    return BatchLoader(MaskedExamples(table, masker), Batches(plan), Collate(0), 0)


def train(
    folder: Path, curves: Curves, callbacks: Sequence[Callback] = (), batches: int = 5, dev: bool = True, **trainer: Any
) -> tuple[dict[str, torch.Tensor], Fitted]:
    torch.manual_seed(0)
    shape = AutoConfig.for_model(**TINY, vocab_size=VOCABULARY, hidden_dropout_prob=0.3)
    objective = MaskedLM(AutoModelForMaskedLM.from_config(shape), OptimizerConfig(lr=1e-2))
    settings = {"accelerator": "cpu", "precision": "32-true", "enable_progress_bar": False, "gradient_clip_val": 1.0}
    place = Place(folder, 0, 1, {**settings, **trainer}, curves, resume=True, callbacks=callbacks)
    plan = Plan("pretrain", EPOCHS, "dev/loss" if dev else None, 2 if dev else None, ema=0.5)
    fitted = fit(objective, loader(batches * ROWS, True), loader(2 * ROWS, False) if dev else None, plan, place)
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
    for name, weight in whole[0].items():
        torch.testing.assert_close(resumed[0][name], weight, rtol=0, atol=0, msg=name)


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


@pytest.mark.parametrize("settings", [{}, {"dev": False}, {"accumulate_grad_batches": 2}, {"val_check_interval": 2}])
def test_stopped_anywhere_it_goes_on_to_the_same(settings: dict[str, Any], tmp_path: Path) -> None:
    points = Curves()
    whole = train(tmp_path / "whole", points, **settings)
    assert len(points.points["train/loss"]) == (9 if "accumulate_grad_batches" in settings else 15)
    for hook, call in STOPS:
        others, folder = Curves(), tmp_path / f"{hook}{call}"
        callback = Signals(hook, call)
        try:
            train(folder, others, [callback], **settings)
        except KeyboardInterrupt:
            assert (folder / "last.ckpt").exists()
        else:
            assert callback.left > 0, "it was not heeded"
        resumed = train(folder, others, **settings)
        assert_same(whole, resumed, points, others)
