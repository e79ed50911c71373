from types import SimpleNamespace
from typing import Any

import pytest
import torch

from shopguide.models.flops import Cost
from shopguide.objectives import step_curves
from shopguide.objectives.step_curves import StepCurves


class Logger:
    def __init__(self) -> None:
        self.points: list[tuple[int, dict[str, float]]] = []

    def log_metrics(self, points: dict[str, float], step: int) -> None:
        self.points.append((step, points))


@pytest.fixture(autouse=True)
def half_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every batch has as many places of padding as of tokens."""
    monkeypatch.setattr(step_curves, "places", lambda _model, batch: 2 * sum(batch["lengths"]))


def made() -> StepCurves:
    curves = StepCurves()
    curves._cost, curves.peak = Cost(1.0, 0.0, 0.0, 10.0), 60.0
    return curves


def trainer_at(step: int, every: int, logger: Logger) -> Any:
    optimizer = SimpleNamespace(param_groups=[{"lr": 0.5}])
    fields = {"world_size": 1, "global_step": step, "log_every_n_steps": every}
    return SimpleNamespace(loggers=[logger], optimizers=[optimizer], **fields)


def module(**fields: Any) -> Any:
    return SimpleNamespace(model=None, passes=1, positions=lambda batch: len(batch["lengths"]), **fields)


def test_speed_and_waiting_are_those_since_the_last_point(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(step_curves.time, "perf_counter", lambda: now[0])
    logger, curves = Logger(), made()
    trainer = trainer_at(0, 2, logger)
    own = module(grad_norm=torch.tensor(3.0))
    curves.on_train_epoch_start()
    for step in (1, 2, 3, 4):
        now[0] += 1.0  # a second of waiting
        curves.on_train_batch_start()
        now[0] += 3.0  # three of work
        trainer.global_step = step
        curves.on_train_batch_end(trainer, own, {"loss": torch.tensor(float(step))}, {"lengths": [10, 10 * step]}, 0)
        if step == 3:
            now[0] += 100.0  # validation
            curves.on_validation_end()
    assert [step for step, _ in logger.points] == [2, 4]
    first, second = (points for _, points in logger.points)
    assert first == {
        "train/loss": 2.0,
        "train/lr": 0.5,
        "train/grad_norm": 3.0,
        "train/tokens_per_second": 50 / 8,
        "train/waiting_share": 0.25,
        "train/packing_efficiency": 0.5,
        "train/mfu": 3 * (50 + 4 * 10) / 8 / 60,
    }
    assert second["train/tokens_per_second"] == 90 / 8
    assert curves.seconds == 16
    assert curves.tokens_per_second == 140 / 16


class LateReading(step_curves.Reading):
    """As of a GPU: there only when somebody asks for it."""

    is_here = False


def test_a_point_that_is_still_on_its_way_is_logged_with_the_next_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_curves, "Reading", LateReading)
    logger, curves = Logger(), made()
    trainer = trainer_at(0, 1, logger)
    own = module(device=torch.device("cpu"))
    told = []
    for step in (1, 2, 3):
        trainer.global_step = step
        curves.on_train_batch_end(trainer, own, {"loss": torch.tensor(float(step))}, {"lengths": [4]}, 0)
        told.append([(at, points["train/loss"]) for at, points in logger.points])
    assert told == [[], [(1, 1.0)], [(1, 1.0), (2, 2.0)]]
    curves.on_validation_start(trainer, own)
    curves.on_train_epoch_end(trainer, own)
    assert [at for at, _ in logger.points] == [1, 2, 3]


def test_the_last_point_of_a_run_that_is_cut_off_is_logged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(step_curves, "Reading", LateReading)
    logger, curves = Logger(), made()
    trainer = trainer_at(1, 1, logger)
    curves.on_train_batch_end(trainer, module(), {"loss": torch.tensor(1.0)}, {"lengths": [4]}, 0)
    curves.on_exception(trainer, module(), KeyboardInterrupt())
    assert [at for at, _ in logger.points] == [1]


@pytest.mark.gpu
def test_a_gpu_is_not_waited_for_and_its_numbers_are_those_of_the_step() -> None:
    loss, norm = torch.tensor(2.5, device="cuda"), torch.tensor(0.125, device="cuda", dtype=torch.bfloat16)
    step_curves.Reading(0, {"train/loss": loss}).points()
    torch.cuda.set_sync_debug_mode("error")
    try:
        reading = step_curves.Reading(7, {"train/loss": loss, "train/lr": 0.5, "train/grad_norm": norm})
        loss.fill_(9.0)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert not reading.is_here
    assert reading.points() == {"train/loss": 2.5, "train/lr": 0.5, "train/grad_norm": 0.125}


def test_steps_that_only_gather_gradients_make_no_second_point() -> None:
    logger, curves = Logger(), made()
    trainer = trainer_at(1, 1, logger)
    for _ in range(3):
        curves.on_train_batch_end(trainer, module(), {"loss": 1.0}, {"lengths": [4]}, 0)
    assert len(logger.points) == 1
    assert "train/grad_norm" not in logger.points[0][1]
