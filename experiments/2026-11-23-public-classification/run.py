"""Fine-tuning on two public sets: shopguide beside transformers.Trainer and TF-IDF + logistic regression.

Same backbone, same network (one output a class of each target), same loss, epochs, learning rate, batch size, length
and seeds; the last epoch is scored on the held-out split. Of several learning rates, the one is taken that is best on a
fifth (by group) of `--grid-rows` training rows, after training on the rest. One JSON line a (set, system, seed), one
summary line last.

    python experiments/2026-11-23-public-classification/run.py mwpd2020 --data DATA/mwpd2020 --model WEIGHTS/minilm-l6
"""

import argparse
import json
import tempfile
import time

import numpy as np
import torch

from shopguide.config import BatchConfig, DataConfig, FinetuneConfig, ModelConfig, OptimizerConfig, SplitConfig
from shopguide.experiment.finetune import finetune
from shopguide.experiment.fit import Place
from shopguide.experiment.prepare import load_material
from shopguide.inference.evaluation import score
from shopguide.models.backbone import build_model
from shopguide.models.posterior import posteriors
from shopguide.tasks.baselines import majority
from shopguide.tasks.features import Features
from shopguide.tasks.labels import encode_labels, label_spaces
from shopguide.tasks.lexical import Lexical
from shopguide.text.tokenizer import load_tokenizer

TARGETS = {"mwpd2020": ("lvl1", "lvl2", "lvl3"), "online_shopping_10_cats": ("category",)}
METRIC = {"mwpd2020": "weighted_f1", "online_shopping_10_cats": "macro_f1"}


def main() -> None:
    args = arguments()
    task = Features(name=args.set, fields=tuple(args.fields), targets=TARGETS[args.set])
    split = SplitConfig(by="group", fractions=(0.8, 0.1, 0.1))
    data = DataConfig(name=args.set, reader=args.set, root=args.data, split=split)
    material = load_material(data)
    examples = task.checked_examples(material.shop, material.parts, None)
    train, held_out = examples.of("train"), examples.of("test" if "test" in examples.split else "dev")
    draw = np.random.default_rng(0)
    train = train.take(draw.permutation(len(train))[: args.rows])
    held_out = held_out.take(draw.permutation(len(held_out))[: args.held_out])
    spaces = label_spaces(train)
    labels = encode_labels(train, spaces)
    print(f"{len(train)} training, {len(held_out)} held-out examples", flush=True)
    rows: list[dict[str, object]] = []
    lr = args.lr[0] if len(args.lr) == 1 else chosen_lr(args, task, train)
    for name, answers in (
        ("majority", majority(labels, spaces, len(held_out))),
        ("tfidf_lr", Lexical.fit(train, labels, spaces).posterior(held_out.first, held_out.second)),
    ):
        rows.append(row(args, name, None, score(held_out, spaces, answers), 0.0))
    for seed in range(args.seeds):
        systems = [("shopguide", ours), ("trainer", trainer)]
        for name, system in systems if seed % 2 == 0 else systems[::-1]:
            begun = time.perf_counter()
            posterior = system(args, task, train, held_out, spaces, labels, seed, lr)
            rows.append(row(args, name, seed, score(held_out, spaces, posterior), time.perf_counter() - begun))
    print(json.dumps(summary(args, rows, lr)))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set", choices=TARGETS)
    parser.add_argument("--data", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--fields", nargs="+", default=["title"])
    parser.add_argument("--rows", type=int, default=None)
    parser.add_argument("--held-out", type=int, default=None)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--lr", type=float, nargs="+", default=[1e-4])
    parser.add_argument("--grid-rows", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--max-length", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=3)
    return parser.parse_args()


def chosen_lr(args, task, train):
    """The learning rate whose model is best on groups of the training set that it has not seen."""
    part = train.take(np.random.default_rng(1).permutation(len(train))[: args.grid_rows])
    groups = sorted(set(part.groups))
    apart = set(np.random.default_rng(2).permutation(groups)[: len(groups) // 5])
    rows = np.array([group in apart for group in part.groups])
    fit, dev = part.take(np.flatnonzero(~rows)), part.take(np.flatnonzero(rows))
    spaces = label_spaces(fit)
    found = {}
    for lr in args.lr:
        posterior = ours(args, task, fit, dev, spaces, encode_labels(fit, spaces), 0, lr)
        found[lr] = row(args, f"lr {lr:g}", 0, score(dev, spaces, posterior), 0.0)[METRIC[args.set]]
    return max(found, key=found.get)


def ours(args, task, train, held_out, spaces, labels, seed, lr):
    from dataclasses import replace

    tokenizer = load_tokenizer(args.model)
    both = replace(
        train,
        first=train.first + held_out.first,
        labels={t: train.labels[t] + held_out.labels[t] for t in spaces},
        split=["train"] * len(train) + ["test"] * len(held_out),
        groups=train.groups + held_out.groups,
    )
    config = FinetuneConfig(
        epochs=args.epochs,
        max_length=args.max_length,
        batch=BatchConfig(size=args.batch),
        monitor=None,
        baselines=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        model = ModelConfig(name="backbone", path=args.model)
        found = finetune(task, both, config, OptimizerConfig(lr=lr), model, tokenizer, Place(folder, seed))
    return found.answers


def trainer(args, task, train, held_out, spaces, labels, seed, lr):
    """What a user writes today: Trainer, dynamic padding, its default AdamW and linear schedule."""
    from transformers import AutoConfig, DataCollatorWithPadding, Trainer, TrainingArguments, set_seed
    from transformers.utils import logging

    logging.set_verbosity_error()
    set_seed(seed)
    tokenizer = load_tokenizer(args.model)
    sizes = [len(classes) for classes in spaces.values()]
    model = build_model(
        args.model, AutoConfig.from_pretrained(args.model), "classification", tokenizer, num_labels=sum(sizes)
    )

    def encoded(examples, targets=None):
        rows = tokenizer(examples.first, truncation=True, max_length=args.max_length)
        keys = [key for key in ("input_ids", "attention_mask", "token_type_ids") if key in rows]
        items = [{key: rows[key][i] for key in keys} for i in range(len(examples))]
        if targets is not None:
            for item, target in zip(items, targets, strict=True):
                item["labels"] = target.tolist()
        return items

    def loss(outputs, targets, num_items_in_batch=None):
        parts = outputs["logits"].split(sizes, dim=-1)
        losses = [torch.nn.functional.cross_entropy(p, t) for p, t in zip(parts, targets.unbind(-1), strict=True)]
        return torch.stack(losses).mean()

    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            folder,
            num_train_epochs=args.epochs,
            per_device_train_batch_size=args.batch,
            per_device_eval_batch_size=64,
            learning_rate=lr,
            weight_decay=0.01,
            warmup_steps=0.06,
            max_grad_norm=1.0,
            seed=seed,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            logging_strategy="no",
        )
        loop = Trainer(
            model,
            settings,
            train_dataset=encoded(train, labels),
            data_collator=DataCollatorWithPadding(tokenizer),
            compute_loss_func=loss,
        )
        loop.train()
        logits = loop.predict(encoded(held_out)).predictions
    parts = posteriors(torch.from_numpy(logits), sizes)
    return {target: part.numpy() for target, part in zip(spaces, parts, strict=True)}


def row(args, system, seed, scores, seconds):
    found = {"set": args.set, "system": system, "seed": seed, **scores.metrics, "seconds": round(seconds, 1)}
    print(json.dumps(found), flush=True)
    return found


def summary(args, rows, lr):
    """Mean over seeds and, for several, the 95 % interval of that mean (Student's t)."""
    from scipy.stats import t

    out = {
        "set": args.set,
        "metric": METRIC[args.set],
        "epochs": args.epochs,
        "lr": lr,
        "batch": args.batch,
        "fields": args.fields,
    }
    for system in ("majority", "tfidf_lr", "trainer", "shopguide"):
        own = [r for r in rows if r["system"] == system]
        values = np.array([r[METRIC[args.set]] for r in own])
        half = t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
        seconds = float(np.mean([r["seconds"] for r in own]))
        out[system] = {
            "mean": round(values.mean(), 4),
            "half_width": round(float(half), 4),
            "seconds": round(seconds, 1),
        }
    return out


if __name__ == "__main__":
    main()
