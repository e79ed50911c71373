"""From the command to what is waited for, in seconds: help, a mistake told, the first optimizer step.

    python -m experiments.benchmarks.startup

The peer is a masked-LM script on `transformers.Trainer` and `HfArgumentParser`, `mlm_script.py` beside this file, that
tracks nothing. Both train a two-layer BERT of width 128 on the demo shop's product titles, with a tokenizer from a
folder; caches of data are cold, caches of files warm. Ours tracks in MLflow, in a store that is there or is not.
"""

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from experiments.benchmarks.harness import Case, compare, parser

CASES = {
    "help": "script --help",
    "mistake": "script with a setting that it does not know",
    "first step": "script, first step",
    "first step, fresh store": "script, first step",
}
SHAPE = {
    "model_type": "bert",
    "hidden_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 512,
}
SCRIPT = Path(__file__).with_name("mlm_script.py")


def main() -> None:
    args = parser(__doc__).parse_args()
    if args.arm:
        print(json.dumps({"ours": ours, "theirs": theirs}[args.arm](args)))
        return
    cases = [Case(name, "seconds", [], peer) for name, peer in CASES.items()]
    compare("startup", cases, args)


def ours(args: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, "-m", "shopguide.train"]
    if args.case == "help":
        return {"value": seconds([*command, "--help"], 0)}
    if args.case == "mistake":
        return {"value": seconds([*command, "lr=fast"], 2)}
    with tempfile.TemporaryDirectory() as folder:
        shop, tokenizer = written(folder)
        if args.case == "first step":
            from shopguide.runs.store import open_store

            open_store(None, "startup", Path(folder) / "runs")
        shape = [f"model.config.{name}={value}" for name, value in SHAPE.items()]
        begun = 1000 * time.time()
        subprocess.run(
            [
                *command,
                "experiment=mlm_only",
                "data=files",
                f"data.root={shop}",
                f"data.cache_dir={folder}/cache",
                f"model.tokenizer={tokenizer}",
                *shape,
                "tracking.experiment=startup",
                f"tracking.root={folder}/runs",
                "tracking.log_every=1",
                "trainer.max_steps=1",
                "pretrain.documents=[products]",
                "pretrain.fields=[title]",
            ],
            check=True,
            capture_output=True,
        )
        with sqlite3.connect(f"{folder}/runs/mlflow.db") as store:
            ((stamp,),) = store.execute("SELECT MIN(timestamp) FROM metrics WHERE key = 'train/loss'").fetchall()
    return {"value": (stamp - begun) / 1000}


def theirs(args: argparse.Namespace) -> dict[str, Any]:
    command = [sys.executable, str(SCRIPT)]
    if args.case == "help":
        return {"value": seconds([*command, "--help"], 0)}
    if args.case == "mistake":
        return {"value": seconds([*command, "--learning_speed", "1"], 1)}
    with tempfile.TemporaryDirectory() as folder:
        shop, tokenizer = written(folder)
        begun = time.time()
        done = subprocess.run(
            [*command, "--texts", f"{shop}/products.jsonl", "--tokenizer", tokenizer, "--output_dir", f"{folder}/out"],
            check=True,
            capture_output=True,
            text=True,
        )
        (stamp,) = [line.split()[2] for line in done.stdout.splitlines() if line.startswith("first step")]
    return {"value": float(stamp) - begun}


def seconds(command: list[str], expected: int) -> float:
    """From the start of a process to its end."""
    begun = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True)
    assert done.returncode == expected, done.stderr.decode()[-2000:]
    return time.perf_counter() - begun


def written(folder: str) -> tuple[str, str]:
    """A shop of titles only, and a tokenizer, both as folders."""
    from experiments.benchmarks.texts import product_texts, tokenizer_of, write_products

    texts = product_texts(None)[:2000]
    tokenizer_of(None, texts).save_pretrained(f"{folder}/tokenizer")
    return write_products(texts, Path(folder) / "shop"), f"{folder}/tokenizer"


if __name__ == "__main__":
    main()
