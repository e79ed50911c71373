"""Masked-LM pretraining beside the script that people use (run_mlm on transformers.Trainer), real tokens a second.

    python -m experiments.benchmarks.pretraining --data DATA/crowdflower --tokenizer WEIGHTS/minilm-l6

Both sides have the same texts, network, initial weights, batch (of texts, or as many × 128 tokens where texts are
grouped) and seed; each has the precision that it comes with (`--peer` sets another for the script). Ours runs as users
run it: the phase `pretrain` in Lightning, every step tracked in MLflow. Clocked from the end of the first step to the
end of the last one, waiting for data included.
"""

import argparse
import json
import tempfile
from itertools import chain
from pathlib import Path
from typing import Any

from experiments.benchmarks import training
from experiments.benchmarks.harness import Case, compare, parsed, parser
from experiments.benchmarks.texts import cut, product_texts, tokenizer_of, write_products

LENGTH, SHARE, LR = 128, 0.15, 1e-4
SHAPES = {
    "minilm": {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536},
    "2x128": {"hidden_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 512},
    "base": {"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "intermediate_size": 3072},
}
ROWS = {"minilm": 32, "2x128": 32, "base": 512}
STEPS = {"minilm": 7, "2x128": 20, "base": 40}
ON_CPU = ("minilm", "2x128")


def main() -> None:
    args = arguments(__doc__)
    if args.arm:
        print(json.dumps({"ours": ours, "theirs": theirs}[args.arm](args)))
        return
    cases = [
        Case(
            f"{shape} {way}",
            "tokens/s",
            [],
            f"transformers.Trainer, {PEERS[way]}",
            ("loss", "mfu", "peak_memory_gb"),
            training.precision(args),
        )
        for shape in shapes()
        for way in PEERS
    ]
    compare("pretraining", cases, args)


def shapes() -> tuple[str, ...]:
    """Those that the machine can train in a benchmark's time."""
    import torch

    return tuple(SHAPES) if torch.cuda.is_available() else ON_CPU


PEERS = {"line": "line by line, dynamic padding", "grouped": "grouped to 128"}


def arguments(description: str | None) -> argparse.Namespace:
    """Of the benchmarks on a network of a given shape."""
    made = parser(description)
    made.add_argument("--data", default=None, help="folder of the crowdflower set; default: the demo shop")
    made.add_argument("--tokenizer", default=None, help="folder or hub name; default: trained on the texts")
    made.add_argument("--steps", type=int, default=None)
    made.add_argument("--rows", type=int, default=None, help="texts of a batch; default: 32, of the large network 512")
    made.add_argument("--seed", type=int, default=0)
    training.add_peer(made)
    return parsed(made)


def prepared(args: argparse.Namespace) -> tuple[list[str], Any, dict[str, Any]]:
    """Texts, tokenizer and shape of the network; sets the number of steps and texts."""
    texts = product_texts(args.data)
    tokenizer = tokenizer_of(args.tokenizer, texts)
    shape = args.case.split()[0]
    options = {"model_type": "bert", "vocab_size": len(tokenizer), **SHAPES[shape]}
    args.steps, args.rows = args.steps or STEPS[shape], args.rows or ROWS[shape]
    texts *= -(-args.steps * args.rows // len(texts))  # no epoch ends within the steps, with what is done then
    return cut(texts, tokenizer, LENGTH), tokenizer, options


def ours(args: argparse.Namespace) -> dict[str, Any]:
    from shopguide.config import BatchConfig, DataConfig, MaskingConfig, ModelConfig, OptimizerConfig, PretrainConfig
    from shopguide.experiment.fit import Place
    from shopguide.experiment.prepare import load_material
    from shopguide.experiment.pretrain import pretrain
    from shopguide.runs.logger import RunLogger
    from shopguide.runs.store import open_store
    from shopguide.runs.tree import open_run

    texts, tokenizer, options = prepared(args)
    ends: list[float] = []
    lengths: list[Any] = []
    losses: list[float] = []

    grouped = args.case.endswith("grouped")
    batch = BatchConfig(size=10 * args.rows, tokens=args.rows * LENGTH) if grouped else BatchConfig(size=args.rows)
    config = PretrainConfig(
        objective="masked_lm",
        documents=["products"],
        fields=["title"],
        lr=LR,
        epochs=1,
        max_length=LENGTH,
        held_out=0.0,
        batch=batch,
        masking=MaskingConfig(strategy="token", probability=SHARE),
    )
    with tempfile.TemporaryDirectory() as folder:
        root, store = write_products(texts, Path(folder) / "shop"), open_store(None, "benchmark", Path(folder) / "runs")
        split = {"by": "group", "fractions": (1.0, 0.0, 0.0), "seed": 0}
        data = DataConfig(name="texts", reader="files", root=root, split=split, cache_dir=f"{folder}/cache")
        trainer = {"gradient_clip_val": 1.0, "max_steps": args.steps, "precision": "auto"}
        with open_run(store, "pretrain") as run:
            place = Place(
                f"{folder}/out",
                args.seed,
                1,
                trainer,
                RunLogger(run),
                callbacks=[training.our_clock(ends, losses, lengths)],
            )
            model = ModelConfig(name="bert", config=options)
            done = pretrain(config, OptimizerConfig(lr=LR), model, tokenizer, load_material(data), place)
    return result(done.model, ends, lengths, losses)


def theirs(args: argparse.Namespace) -> dict[str, Any]:
    """run_mlm's way: `--line_by_line` with dynamic padding, or all texts joined and cut into rows of 128."""
    import torch
    from datasets import Dataset
    from transformers import (
        AutoConfig,
        DataCollatorForLanguageModeling,
        Trainer,
        TrainingArguments,
    )
    from transformers.utils import logging

    from shopguide.models.backbone import build_model

    logging.set_verbosity_error()
    texts, tokenizer, options = prepared(args)
    rows = Dataset.from_dict({"text": texts}).map(
        lambda batch: tokenizer(batch["text"], truncation=True, max_length=LENGTH, return_special_tokens_mask=True),
        batched=True,
        remove_columns=["text"],
    )
    if args.case.endswith("grouped"):
        rows = rows.map(joined, batched=True)
    torch.manual_seed(args.seed)
    model = build_model(None, AutoConfig.for_model(**options), "masked_lm", tokenizer)
    ends: list[float] = []
    lengths: list[Any] = []

    class Counting(Trainer):
        def training_step(self, model: Any, inputs: dict[str, Any], *more: Any) -> Any:
            lengths.append(inputs["attention_mask"].sum(1))
            return super().training_step(model, inputs, *more)

    with tempfile.TemporaryDirectory() as folder:
        bf16 = training.peer_bf16(args)
        settings = training.arguments(
            TrainingArguments, folder, steps=args.steps, rows=args.rows, lr=LR, seed=args.seed, bf16=bf16
        )
        collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=SHARE)
        clock = training.peer_clock(ends)
        loop = Counting(model, settings, train_dataset=rows, data_collator=collate, callbacks=[clock])
        loop.train()
    return result(model, ends, [step.tolist() for step in lengths], training.losses_of(loop))


def result(model: Any, ends: list[float], lengths: list[list[int]], losses: list[float]) -> dict[str, Any]:
    """What an arm reports of its steps, with the share of the machine's matrix-product speed (in bfloat16 or float32,
    whichever is faster) that the mathematics of the real tokens took (`shopguide.models.flops`).
    """
    import torch

    from shopguide.models.flops import forward_cost, measured_peak

    cost, device = forward_cost(model), torch.device("cuda" if torch.cuda.is_available() else "cpu")
    flops = sum(float(cost.of_step(step, round(SHARE * sum(step)))) for step in lengths[1:])
    peak = max(measured_peak(device, dtype) for dtype in (torch.float32, torch.bfloat16))
    mfu = flops / (ends[-1] - ends[0]) / peak
    return training.result(ends, [sum(step) for step in lengths], losses) | {"mfu": mfu}


def joined(batch: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """run_mlm's group_texts: join, cut into rows of LENGTH, drop the rest."""
    whole = {name: list(chain.from_iterable(rows)) for name, rows in batch.items()}
    total = len(whole["input_ids"]) // LENGTH * LENGTH
    return {name: [row[i : i + LENGTH] for i in range(0, total, LENGTH)] for name, row in whole.items()}


if __name__ == "__main__":
    main()
