from types import SimpleNamespace
from typing import Any

import pytest
import torch
from pytorch_lightning.callbacks import ModelCheckpoint

from shopguide.errors import Pruned
from shopguide.experiment.pruning import PruneCallback


class Told:
    number = 0

    def __init__(self, gives_up: bool) -> None:
        self.reports: list[tuple[int, float]] = []
        self.gives_up = gives_up

    def report(self, value: float, step: int) -> None:
        self.reports.append((step, round(value, 6)))

    def should_prune(self) -> bool:
        return self.gives_up


def trainer(epoch: int, monitor: str | None = "dev/macro_f1", mode: str = "max", epochs: int = 3) -> Any:
    best = ModelCheckpoint(monitor=monitor, mode=mode)
    metrics = {"dev/macro_f1": torch.tensor(0.25), "dev/loss": torch.tensor(2.0)}
    return SimpleNamespace(checkpoint_callback=best, callback_metrics=metrics, current_epoch=epoch, max_epochs=epochs)


def test_the_mean_over_the_tasks_so_far_is_reported() -> None:
    told = Told(False)
    PruneCallback(told, [], 3, False).on_validation_end(trainer(0), None)  # type: ignore[arg-type]
    PruneCallback(told, [0.75], 3, False).on_validation_end(trainer(1), None)  # type: ignore[arg-type]
    PruneCallback(told, [0.75], 3, True).on_validation_end(trainer(1), None)  # type: ignore[arg-type]
    PruneCallback(told, [], 3, False).on_validation_end(trainer(0, "dev/loss", "min"), None)  # type: ignore[arg-type]
    assert told.reports == [(1, 0.25), (5, 0.5), (3005, 0.5), (1, -2.0)]


def test_a_job_is_given_up_but_not_at_first_and_not_at_last() -> None:
    told = Told(True)
    PruneCallback(told, [], 4, False).on_validation_end(trainer(0, epochs=4), None)  # type: ignore[arg-type]
    with pytest.raises(Pruned, match=r"given up after epoch 2 at 0\.2500"):
        PruneCallback(told, [], 3, False).on_validation_end(trainer(1), None)  # type: ignore[arg-type]
    PruneCallback(told, [], 3, False).on_validation_end(trainer(2), None)  # type: ignore[arg-type]
    assert [step for step, _ in told.reports] == [1, 2, 3]


def test_what_keeps_its_last_epoch_is_not_watched() -> None:
    told = Told(True)
    PruneCallback(told, [], 3, False).on_validation_end(trainer(0, None), None)  # type: ignore[arg-type]
    assert told.reports == []
