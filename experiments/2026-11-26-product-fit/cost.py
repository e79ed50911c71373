"""Time and memory of training on each set, ours and sentence-transformers in turn, each in a process of its own.

    python THIS --data DATA --model FOLDER [--sets NAME …] [--examples 320] [--rounds 1]

The same examples, texts, batches and epoch as in the study, in full precision; what is held out is cut to a few rows,
as it is the training that is measured: examples (of search and recommend: pairs) a second, and the peak memory of the
process. Prints a table and one JSON line last.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import peer

from experiments.benchmarks.harness import hardware
from shopguide.config import BatchConfig, FinetuneConfig, ModelConfig, OptimizerConfig
from shopguide.experiment.finetune import finetune
from shopguide.experiment.fit import Place
from shopguide.inference.retrieval import least_relevant
from shopguide.tasks.task import Catalogue, Examples
from shopguide.text.tokenizer import load_tokenizer

PAIRS = {"lr": 2e-4, "batch": 32}
VECTORS = {"lr": 5e-5, "batch": 64}
SETS: dict[str, dict[str, Any]] = {
    "crowdflower": {"task": "relevance", "fields": ["title"], **PAIRS},
    "homedepot": {"task": "relevance", "fields": ["title"], **PAIRS},
    "hetpqa": {"task": "relevance", "fields": ["title"], **PAIRS},
    "match_abt_buy": {"task": "match", "folder": "match_Abt-Buy", "reader": "ditto", **PAIRS},
    "match_amazon_google": {"task": "match", "folder": "match_Amazon-Google", "reader": "ditto", **PAIRS},
    "customer_questions": {"task": "match", **PAIRS},
    "homedepot_search": {"task": "search", "folder": "homedepot", "fields": ["title"], **VECTORS, "batch": 128},
    "bundle_clothing": {"task": "recommend", "reader": "bundle", **VECTORS},
    "bundle_food": {"task": "recommend", "reader": "bundle", **VECTORS},
    "amazon_industrial_and_scientific": {
        "task": "recommend",
        "folder": "amazon_Industrial_and_Scientific",
        "reader": "amazon_history",
        **VECTORS,
    },
}
HELD_OUT, OTHERS = 32, 200
"""Rows of dev and of test, and products of the catalogue that nobody asks for, which are kept."""


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, required=True, help="folder of the sets")
    made.add_argument("--model", required=True, help="folder or hub name of the backbone")
    made.add_argument("--sets", nargs="+", choices=sorted(SETS), default=list(SETS))
    made.add_argument("--examples", type=int, default=320)
    made.add_argument("--rounds", type=int, default=1)
    made.add_argument("--arm", choices=("ours", "theirs"), help=argparse.SUPPRESS)
    args = made.parse_args()
    if args.arm:
        print(json.dumps(run(args, args.sets[0])))
        return
    found: dict[str, Any] = {}
    for name in args.sets:
        arms: dict[str, list[dict[str, float]]] = {"ours": [], "theirs": []}
        for number in range(args.rounds):
            for arm in random.Random(f"{name}{number}").sample(sorted(arms), len(arms)):
                arms[arm].append(child(args, name, arm))
        found[name] = {arm: {key: median(rows, key) for key in rows[0]} for arm, rows in arms.items()}
        print(row(name, found[name]), flush=True)
    print(json.dumps({"cost": found, "rounds": args.rounds, "hardware": hardware(None)}))


def row(name: str, arms: dict[str, dict[str, float]]) -> str:
    ours, theirs = (arms[arm] for arm in ("ours", "theirs"))
    ratio = ours["a_second"] / theirs["a_second"]
    cells = [f"{own['a_second']:.1f}" for own in (ours, theirs)] + [f"{ratio:.1f}"]
    return f"| {name} | " + " | ".join([*cells, *(f"{own['peak_mb']:,.0f}" for own in (ours, theirs))]) + " |"


def median(rows: list[dict[str, float]], key: str) -> float:
    return round(statistics.median(row[key] for row in rows), 2)


def child(args: argparse.Namespace, name: str, arm: str) -> dict[str, float]:
    """What an arm says of its training, and the peak memory of its process."""
    own = ["--data", str(args.data), "--model", args.model, "--examples", str(args.examples)]
    command = [sys.executable, __file__, *own, "--sets", name, "--arm", arm]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=out, stderr=errors)
        _, status, usage = os.wait4(process.pid, 0)
        out.seek(0)
        errors.seek(0)
        if status:
            raise SystemExit(errors.read()[-3000:])
        said: dict[str, float] = json.loads(out.read().strip().splitlines()[-1])
    return {**said, "peak_mb": usage.ru_maxrss / 1024}


def run(args: argparse.Namespace, name: str) -> dict[str, float]:
    own = SETS[name]
    asked = argparse.Namespace(
        set=name,
        reader=own.get("reader", own.get("folder", name)),
        data=str(args.data / own.get("folder", name)),
        task=own["task"],
        fields=own.get("fields"),
        steps=9 if own["task"] == "recommend" else None,
        model=args.model,
        lr=own["lr"],
        batch=own["batch"],
        epochs=1,
        max_examples=args.examples,
    )
    task, every = peer.asked(asked, 1)
    examples = cut(every, args.examples)
    count = learnt(examples.of("train"))
    if args.arm == "theirs":
        seconds, _ = (peer.crossed if own["task"] in peer.CHOSEN_BY else peer.searched)(task, examples, asked, 1)
        return {"a_second": count / seconds}
    config = FinetuneConfig(epochs=1, batch=BatchConfig(size=own["batch"]), baselines=False, max_length=peer.LENGTH)
    model = ModelConfig(name="backbone", path=args.model)
    with tempfile.TemporaryDirectory() as folder:
        place = Place(folder, trainer={"precision": "32-true", "enable_progress_bar": False})
        tokenizer, optimizer = load_tokenizer(args.model), OptimizerConfig(lr=own["lr"])
        found = finetune(task, examples, config, optimizer, model, tokenizer, place)
    return {"a_second": count / found.fitted.seconds}


def cut(examples: Examples, count: int) -> Examples:
    """Training examples, a few held-out ones, and of the catalogue what is asked for and some more."""
    rows = [np.flatnonzero(np.array(examples.split) == split)[:HELD_OUT] for split in ("dev", "test")]
    train = np.random.default_rng(1).permutation(np.flatnonzero(np.array(examples.split) == "train"))[:count]
    found = examples.take(np.concatenate([np.sort(train), *rows]))
    if found.catalogue is not None:
        asked = {item for worth in found.wanted or () for item in worth}
        kept = [row for row, item in enumerate(found.catalogue.ids) if item in asked or row < OTHERS]
        ids, texts = ([part[row] for row in kept] for part in (found.catalogue.ids, found.catalogue.texts))
        found.catalogue = Catalogue(ids, texts)
    return found


def learnt(train: Examples) -> int:
    """Examples; of search and recommend, pairs of a query and a product that fits it."""
    if train.wanted is None:
        return len(train)
    least = least_relevant(train.wanted)
    return sum(gain >= least for worth in train.wanted for gain in worth.values())


if __name__ == "__main__":
    main()
