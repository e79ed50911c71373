"""What tracking costs: milliseconds a step on a one-layer model, everything logged in MLflow at every step.

    python -m experiments.benchmarks.tracking

Ours is the phase's own loop, as the command runs it: Lightning, loss, learning rate, gradient norm, speed, waiting and
utilisation logged at every step into a fresh sqlite store, by a process of its own. The peer is a bare loop over the
same batches with the same model, optimizer, schedule and clipping, that logs nothing. What tracking costs is the
difference. Both compute on one thread, if `--threads` says nothing else: so small a model gains nothing by several,
and where they have no core to themselves it is measured how long one waits for the other.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from experiments.benchmarks import training
from experiments.benchmarks.harness import Case, compare, parser

ROWS, LENGTH, VOCABULARY, STEPS, LR = 8, 16, 200, 600, 1e-3
SHAPE = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}


def main() -> None:
    args = arguments()
    args.threads = args.threads or 1
    if args.arm:
        print(json.dumps({"ours": ours, "theirs": theirs}[args.arm](args)))
        return
    compare("tracking", [Case("every step logged", "ms/step", [], "bare loop, nothing logged", ("loss",))], args)


def arguments() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--steps", type=int, default=STEPS)
    return made.parse_args()


def parts(steps: int) -> tuple[Any, Any]:
    """The objective, and the loader of its batches."""
    import numpy as np
    import torch
    from transformers import AutoConfig, AutoModelForMaskedLM

    from shopguide.config import OptimizerConfig
    from shopguide.objectives.language_model import MaskedLM
    from shopguide.text.batches import Batches, BatchLoader
    from shopguide.text.examples import Collate, MaskedExamples
    from shopguide.text.masking import Masker
    from shopguide.text.plan import BatchPlan

    class Table:
        lengths = np.full(steps * ROWS, LENGTH)

        def __getitem__(self, index: int) -> Any:
            draw = np.random.default_rng(index)
            return draw.integers(5, VOCABULARY, LENGTH).astype(np.int32), np.arange(LENGTH, dtype=np.int32)

    torch.manual_seed(0)
    model = AutoModelForMaskedLM.from_config(AutoConfig.for_model("bert", vocab_size=VOCABULARY, **SHAPE))
    masker = Masker(mask_id=4, vocab_size=VOCABULARY, special_ids=frozenset(range(5)), seed=0)
    examples: Any = MaskedExamples(Table(), masker)  # type: ignore[arg-type]
    plan = BatchPlan(examples.lengths, ROWS, unpadded=True)
    return MaskedLM(model, OptimizerConfig(lr=LR)), BatchLoader(examples, Batches(plan), Collate(0), 0)


def result(ends: list[float], losses: list[float]) -> dict[str, Any]:
    """Milliseconds a step; the first tenth of the steps is not counted."""
    first = len(ends) // 10
    seconds = ends[-1] - ends[first]
    return {"value": 1000 * seconds / (len(ends) - 1 - first), "loss": float(losses[-1])}


def ours(args: argparse.Namespace) -> dict[str, Any]:
    from shopguide.experiment.fit import Place, Plan, fit
    from shopguide.runs.apart import tracking_apart
    from shopguide.runs.logger import RunLogger
    from shopguide.runs.store import open_store
    from shopguide.runs.tree import open_run

    objective, loader = parts(args.steps)
    ends: list[float] = []
    losses: list[float] = []
    with tempfile.TemporaryDirectory() as folder, tracking_apart():
        store = open_store(None, "benchmark", Path(folder) / "runs")
        with open_run(store, "tracking") as run:
            clock = training.our_clock(ends, losses, [])
            place = Place(folder, 0, 1, logger=RunLogger(run), callbacks=[clock])
            fit(objective, loader, None, Plan("tracking", 1, None, None), place)
    return result(ends, losses)


def theirs(args: argparse.Namespace) -> dict[str, Any]:
    import torch

    from shopguide.objectives.optimizer import configure

    objective, loader = parts(args.steps)
    objective.train()
    made = configure(objective.model, objective.optimizer_config, args.steps)
    optimizer, schedule = made["optimizer"], made["lr_scheduler"]["scheduler"]
    ends: list[float] = []
    losses: list[float] = []
    torch.manual_seed(0)
    for batch in loader:
        optimizer.zero_grad()
        loss = objective.loss(batch)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(objective.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss))
        ends.append(time.perf_counter())
    return result(ends, losses)


if __name__ == "__main__":
    main()
