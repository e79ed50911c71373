import copy
import math
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback, ModelCheckpoint
from torch.utils.data import DataLoader

from shopguide.checks import parse_config
from shopguide.experiment.averaging import WeightAverage
from shopguide.experiment.run import run_experiment
from tests.conftest import Finished, tiny_settings

pytestmark = pytest.mark.filterwarnings("ignore")
DECAY = 0.6
ROWS = [torch.randn(4, 3, generator=torch.Generator().manual_seed(seed)) for seed in range(5)]


class Line(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.line = torch.nn.Linear(3, 1)
        self.seen: list[torch.Tensor] = []
        self.judged: list[torch.Tensor] = []

    def training_step(self, batch: torch.Tensor, _index: int) -> torch.Tensor:
        return (self.line(batch) - batch.sum(1, keepdim=True)).square().mean()

    def on_train_batch_end(self, *_: Any) -> None:
        self.seen.append(self.line.weight.detach().clone())

    def validation_step(self, batch: torch.Tensor, index: int) -> None:
        if index == 0:
            self.judged.append(self.line.weight.detach().clone())
        self.log("dev/loss", self.training_step(batch, index))

    def configure_optimizers(self) -> Any:
        return torch.optim.Adam(self.parameters(), lr=0.1)


def trained(folder: Path, epochs: int, *, every: int = 1) -> Line:
    module = Line()
    best = ModelCheckpoint(folder, filename="best", monitor="dev/loss", save_weights_only=True)
    callbacks: list[Callback] = [WeightAverage(DECAY), best]
    trainer = pl.Trainer(
        max_epochs=epochs, callbacks=callbacks, logger=False, enable_progress_bar=False, accelerator="cpu",
        enable_model_summary=False, num_sanity_val_steps=0, accumulate_grad_batches=every,
    )  # fmt: skip
    trainer.fit(module, loader(), loader())
    return module


def loader() -> DataLoader[Any]:
    return DataLoader(ROWS, batch_size=None)  # type: ignore[arg-type]


def averages(weights: list[torch.Tensor]) -> list[torch.Tensor]:
    found = [copy.deepcopy(Line().line.weight.detach())]
    for step, weight in enumerate(weights, start=1):
        decay = min(DECAY, (1 + step) / (10 + step))
        found.append(decay * found[-1] + (1 - decay) * weight)
    return found


def test_the_average_is_judged_kept_and_the_end(tmp_path: Path) -> None:
    module = trained(tmp_path, 3)
    expected = averages(module.seen)
    for epoch, weight in enumerate(module.judged, start=1):
        torch.testing.assert_close(weight, expected[epoch * len(ROWS)])
    torch.testing.assert_close(module.line.weight.detach(), expected[-1])
    best = torch.load(tmp_path / "best.ckpt", weights_only=True)["state_dict"]["line.weight"]
    torch.testing.assert_close(best, expected[-1])
    plain = Line()
    torch.testing.assert_close(module.seen[0], _steps_of(plain, 1)[0]), "training itself is not changed"
    torch.testing.assert_close(module.seen[-1], _steps_of(Line(), 15)[-1])


def _steps_of(module: Line, count: int) -> list[torch.Tensor]:
    optimizer = module.configure_optimizers()
    found = []
    for step in range(count):
        optimizer.zero_grad()
        module.training_step(ROWS[step % 5], 0).backward()
        optimizer.step()
        found.append(module.line.weight.detach().clone())
    return found


def test_batches_that_only_gather_gradients_do_not_count(tmp_path: Path) -> None:
    module = trained(tmp_path, 2, every=5)
    torch.testing.assert_close(module.line.weight.detach(), averages(module.seen[4::5])[-1])


def test_an_experiment_with_all_that_small_sets_may_want(finished: Finished, tmp_path: Path) -> None:
    changes = {"finetune.ema": 0.9, "finetune.r_drop": 0.5, "optimizer.layer_decay": 0.8, "phases": ["finetune"]}
    loss = {"target": "shopguide.objectives.losses.focal.Focal", "gamma": 1.0}
    settings = tiny_settings(
        tmp_path, **changes, **{"finetune.loss": loss, "data.cache_dir": finished.folder / "cache"}
    )
    found = run_experiment(parse_config(settings))
    assert {"need/macro_f1", "features/macro_f1", "relevance/macro_f1", "dev/score"} <= found.metrics.keys()
    assert all(0 <= found.metrics[f"{task}/macro_f1"] < 1 for task in ("need", "features", "relevance"))
    assert all(math.isfinite(value) for value in found.metrics.values())
