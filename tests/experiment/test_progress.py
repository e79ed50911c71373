from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shopguide.experiment import progress
from shopguide.experiment.progress import MinuteLine
from shopguide.objectives.step_curves import StepCurves
from tests.experiment.test_stopping import Curves, train

pytestmark = pytest.mark.filterwarnings("ignore")


def test_without_a_bar_a_log_says_how_far_an_epoch_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    curves = Curves()
    train(tmp_path, curves)
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines() if "  batch " in line]
    assert [line[:3] for line in lines] == [
        ["pretrain", f"epoch {epoch}/3", f"batch {batch}/5"] for epoch in (1, 2, 3) for batch in (1, 2, 3, 4, 5)
    ]
    assert [line[3] for line in lines] == [f"loss {loss:.3f}" for loss in curves.points["train/loss"].values()]
    assert lines[-1][-1] == "0 s left"


def test_a_line_a_minute_tells_the_time_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    curves = StepCurves()
    line, trainer = MinuteLine("pretrain", 2, curves), SimpleNamespace(current_epoch=0, num_training_batches=1000)
    line.on_train_start()
    for index in range(200):
        now, curves.seconds, curves.tokens = now + 1, curves.seconds + 1, curves.tokens + 50
        nothing: Any = None
        line.on_train_batch_end(trainer, nothing, nothing, nothing, index)  # type: ignore[arg-type]
    assert capsys.readouterr().out.splitlines() == [
        "pretrain  epoch 1/2  batch 60/1,000  50 tokens/s  1,940 s left",
        "pretrain  epoch 1/2  batch 120/1,000  50 tokens/s  1,880 s left",
        "pretrain  epoch 1/2  batch 180/1,000  50 tokens/s  1,820 s left",
    ]
