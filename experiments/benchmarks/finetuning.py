"""Fine-tuning on (query, product) pairs beside the scripts that people use, pairs a second.

    python -m experiments.benchmarks.finetuning --data DATA/crowdflower --model WEIGHTS/minilm-l6

Peers: `transformers.Trainer` padded to 128 and with dynamic padding; sentence-transformers' `CrossEncoderTrainer`. All
sides have the same pairs, backbone, batch of 32 and seed; each has the precision that it comes with (`--peer` sets
another for the scripts). Ours runs as users run it: the phase `finetune` in Lightning, every step tracked in MLflow.
Clocked from the end of the first step to the end of the last one; with more steps than an epoch has, what is done at
its end is in our time alone.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from experiments.benchmarks import training
from experiments.benchmarks.harness import Case, compare, parsed, parser
from experiments.benchmarks.texts import CACHE

ROWS, LENGTH, LR, STEPS = 32, 128, 1e-4, 8
SIZES = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12, "intermediate_size": 1536}
PEERS = {
    "padded": "transformers.Trainer, padded to 128",
    "dynamic": "transformers.Trainer, dynamic padding",
    "cross_encoder": "sentence-transformers CrossEncoderTrainer",
}


def main() -> None:
    args = arguments()
    if args.arm:
        print(json.dumps(ours(args) if args.arm == "ours" else PEER_ARMS[args.case](args)))
        return
    precision = training.precision(args)
    cases = [Case(name, "pairs/s", [], peer, ("loss", "peak_memory_gb"), precision) for name, peer in PEERS.items()]
    compare("finetuning", cases, args)


def arguments() -> argparse.Namespace:
    made = parser(__doc__)
    add_pairs(made)
    made.add_argument("--steps", type=int, default=STEPS)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--dev", type=int, default=0, help="dev pairs on which the trained network is scored")
    training.add_peer(made)
    return parsed(made)


def add_pairs(made: argparse.ArgumentParser) -> None:
    """Let the pairs be chosen, and the backbone that reads them."""
    made.add_argument("--data", default=None, help="folder of the crowdflower set; default: the demo shop")
    made.add_argument("--model", default=None, help="folder or hub name of a BERT; default: random weights of its size")
    made.add_argument("--fields", default="title,description", help="of a product, what is read")


def prepared(args: argparse.Namespace) -> tuple[Any, Any, Any]:
    """Task, examples of pairs of the training split, tokenizer, and the backbone's setting."""
    from shopguide.config import DataConfig, ModelConfig
    from shopguide.experiment.prepare import load_material, load_or_train_tokenizer
    from shopguide.tasks.relevance import Relevance

    named = {"name": "crowdflower", "reader": "crowdflower", "root": args.data}
    data = named if args.data else {"name": "demo", "reader": "demo"}
    material = load_material(DataConfig(**data, cache_dir=CACHE))
    task = Relevance(name="relevance", fields=tuple(args.fields.split(",")))
    model = ModelConfig(name="bert", path=args.model, config={"model_type": "bert", **SIZES}, vocab_size=8000)
    examples = task.checked_examples(material.shop, material.parts, material.truth)
    own, args.held_out = examples.of("train"), examples.of("dev")
    return (task, own), load_or_train_tokenizer(model, material), model


def scored(args: argparse.Namespace, network: Any, tokenizer: Any, classes: Sequence[str]) -> dict[str, float]:
    """How many of the dev pairs a trained network answers as the shop's judges did, and its macro F1."""
    if not args.dev:
        return {}
    import torch
    from sklearn.metrics import accuracy_score, f1_score

    held, found = args.held_out, []
    first, second = list(held.first)[: args.dev], list(held.second)[: args.dev]
    truth = [classes.index(label) for label in held.labels["grade"][: args.dev]]
    network = network.float().eval()
    with torch.inference_mode():
        for start in range(0, len(first), ROWS):
            rows = slice(start, start + ROWS)
            inputs = tokenizer(
                first[rows], second[rows], truncation=True, max_length=LENGTH, padding=True, return_tensors="pt"
            )
            found += network(**inputs.to(network.device)).logits.argmax(1).tolist()
    return {"dev_accuracy": accuracy_score(truth, found), "dev_macro_f1": f1_score(truth, found, average="macro")}


def ours(args: argparse.Namespace) -> dict[str, Any]:
    from shopguide.config import BatchConfig, FinetuneConfig, OptimizerConfig
    from shopguide.experiment.finetune import finetune
    from shopguide.experiment.fit import Place
    from shopguide.runs.logger import RunLogger
    from shopguide.runs.store import open_store
    from shopguide.runs.tree import open_run

    (task, examples), tokenizer, model = prepared(args)
    ends: list[float] = []
    losses: list[float] = []

    examples.split = [*list(examples.split)[:-ROWS], *["test"] * ROWS]
    epochs, batch = -(-args.steps * ROWS // (len(examples) - ROWS)), BatchConfig(size=ROWS)
    config = FinetuneConfig(epochs=epochs, max_length=LENGTH, batch=batch, monitor=None, baselines=False)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(None, "benchmark", Path(folder) / "runs")
        with open_run(store, "finetune") as run:
            trainer = {"gradient_clip_val": 1.0, "max_steps": args.steps, "precision": "auto"}
            place = Place(
                f"{folder}/out", args.seed, 1, trainer, RunLogger(run), callbacks=[training.our_clock(ends, losses, [])]
            )
            done = finetune(task, examples, config, OptimizerConfig(lr=LR), model, tokenizer, place)
    (classes,) = done.predictor.card.targets.values()
    return training.result(ends, [ROWS] * len(ends), losses) | scored(args, done.predictor.model, tokenizer, classes)


def settings(args: argparse.Namespace, folder: str, cls: Any) -> Any:
    bf16 = training.peer_bf16(args)
    return training.arguments(cls, folder, steps=args.steps, rows=ROWS, lr=LR, seed=args.seed, bf16=bf16)


def by_trainer(args: argparse.Namespace) -> dict[str, Any]:
    """The usual classification script on transformers.Trainer."""
    import torch
    from transformers import DataCollatorWithPadding, Trainer, TrainingArguments
    from transformers.utils import logging

    from shopguide.models.backbone import backbone_config, build_model
    from shopguide.tasks.labels import encode_labels, label_spaces

    logging.set_verbosity_error()
    (_, examples), tokenizer, model = prepared(args)
    spaces = label_spaces(examples)
    labels = encode_labels(examples, spaces)[:, 0]
    padding = "max_length" if args.case == "padded" else False
    first, second = list(examples.first), list(examples.second)
    encoded = tokenizer(first, second, truncation=True, max_length=LENGTH, padding=padding)
    rows = [{key: encoded[key][i] for key in encoded} | {"labels": int(labels[i])} for i in range(len(examples))]
    torch.manual_seed(args.seed)
    (classes,) = spaces.values()
    network = build_model(model.path, backbone_config(model), "classification", tokenizer, num_labels=len(classes))
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        loop = Trainer(
            network,
            settings(args, folder, TrainingArguments),
            train_dataset=rows,
            data_collator=DataCollatorWithPadding(tokenizer),
            callbacks=[training.peer_clock(ends)],
        )
        loop.train()
    found = training.result(ends, [ROWS] * len(ends), training.losses_of(loop))
    return found | scored(args, network, tokenizer, classes)


def by_cross_encoder(args: argparse.Namespace) -> dict[str, Any]:
    """sentence-transformers' trainer of cross-encoders, with its cross-entropy."""
    from datasets import Dataset
    from sentence_transformers.cross_encoder import (
        CrossEncoder,
        CrossEncoderTrainer,
        CrossEncoderTrainingArguments,
    )
    from sentence_transformers.cross_encoder.losses import CrossEntropyLoss
    from transformers.utils import logging

    from shopguide.models.backbone import backbone_config, build_model
    from shopguide.tasks.labels import encode_labels, label_spaces

    logging.set_verbosity_error()
    (_, examples), tokenizer, model = prepared(args)
    spaces = label_spaces(examples)
    labels = encode_labels(examples, spaces)[:, 0].tolist()
    (classes,) = spaces.values()
    ends: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        network = build_model(model.path, backbone_config(model), "classification", tokenizer, num_labels=len(classes))
        network.save_pretrained(f"{folder}/backbone")
        tokenizer.save_pretrained(f"{folder}/backbone")
        encoder = CrossEncoder(f"{folder}/backbone", num_labels=len(classes), max_length=LENGTH)
        texts = {"query": list(examples.first), "product": list(examples.second)}
        rows = Dataset.from_dict({**texts, "label": labels})
        loop = CrossEncoderTrainer(
            model=encoder,
            args=settings(args, folder, CrossEncoderTrainingArguments),
            train_dataset=rows,
            loss=CrossEntropyLoss(encoder),
            callbacks=[training.peer_clock(ends)],
        )
        loop.train()
    found = training.result(ends, [ROWS] * len(ends), training.losses_of(loop))
    return found | scored(args, encoder.model, tokenizer, classes)


PEER_ARMS = {"padded": by_trainer, "dynamic": by_trainer, "cross_encoder": by_cross_encoder}

if __name__ == "__main__":
    main()
