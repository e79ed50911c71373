"""On a GPU: `CUDA_VISIBLE_DEVICES=0 python -m pytest -m gpu`."""

from pathlib import Path

import pytest
import torch

from shopguide.checks import parse_config
from shopguide.config import OptimizerConfig
from shopguide.experiment.evaluate import evaluate_run
from shopguide.experiment.run import run_experiment
from shopguide.objectives.classification import Classification
from shopguide.objectives.language_model import MaskedLM
from shopguide.objectives.objective import Objective
from shopguide.objectives.tagging import Tagging
from shopguide.runs.store import open_store
from tests.conftest import tiny_settings
from tests.models.test_unpadded import batch_of, model_of

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("kind", ["bert", "modernbert", "roberta"])
@pytest.mark.parametrize("objective", [MaskedLM, Classification, Tagging])
def test_a_step_waits_for_nothing(kind: str, objective: type[Objective]) -> None:
    from transformers import AutoModelForSequenceClassification, AutoModelForTokenClassification

    heads = {Classification: AutoModelForSequenceClassification, Tagging: AutoModelForTokenClassification}
    more = {} if objective is MaskedLM else {"num_labels": 5}
    model = model_of(kind, heads.get(objective), **more).train()
    counts = () if objective is MaskedLM else ([[9, 9, 9, 9, 9]],)
    module = objective(model, OptimizerConfig(lr=1e-3), *counts).cuda()
    batch = batch_of([7, 3, 12, 3, 1, 12])
    told = (torch.rand(batch["input_ids"].shape) < 0.3) & batch["attention_mask"].bool()
    batch["labels"] = torch.where(told, batch["input_ids"] % 5, -100)
    batch["targets"] = torch.tensor([[0], [1], [-100], [4], [2], [7]])
    optimizer = torch.optim.AdamW(module.parameters(), fused=True)

    def step() -> torch.Tensor:
        ready = module.on_before_batch_transfer({k: v for k, v in batch.items() if k != "layout"}, 0)
        there = module.transfer_batch_to_device(ready, torch.device("cuda"), 0)
        with torch.autocast("cuda", torch.bfloat16):
            loss = module.loss(there)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        return loss.detach()

    first = float(step())
    torch.cuda.set_sync_debug_mode("error")
    try:
        losses = [step() for _ in range(5)]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    assert float(losses[-1]) < first


@pytest.mark.parametrize("precision", ["auto", "32"])
def test_an_experiment_from_pretraining_to_answers(tmp_path: Path, precision: str) -> None:
    config = parse_config(tiny_settings(tmp_path, **{"trainer.precision": precision}))
    outcome = run_experiment(config)
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    again = evaluate_run(store, outcome.run_id, None, config.data, "test", 16)
    for child in store.find_children(outcome.run_id):
        metrics = child.data.metrics
        assert metrics["cost/peak_gpu_memory_gb"] > 0
        if task := child.data.tags.get("task"):
            assert metrics["test/accuracy"] == pytest.approx(again[task]["accuracy"]["value"], abs=0.02)
