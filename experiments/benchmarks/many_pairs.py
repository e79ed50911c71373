"""Memory of fine-tuning on ever more judged pairs: what each part of the way adds to a process that has trained.

    python -m experiments.benchmarks.many_pairs --counts 100000 1000000

Generated queries, products and judgements are read from files, checked, split, made into examples, encoded and trained
on for some steps with a tiny network, as `shopguide.train` does it, each count in a process of its own. Prints resident
memory (of which files that are mapped may be given back at any time), and one JSON line last.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from experiments.benchmarks.harness import hardware

SHAPE = {"model_type": "bert", "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
WORDS = [f"{first}{second}" for first in ("ba", "do", "fi", "gu", "ke", "lo") for second in ("ra", "sen", "tik", "vom")]
PRODUCTS, A_QUERY, STEPS, ROWS = 20_000, 20, 200, 32


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--counts", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    made.add_argument("--one", type=int, default=None, help=argparse.SUPPRESS)
    args = made.parse_args()
    if args.one:
        print(json.dumps(trained(args.one)))
        return
    found = []
    for count in args.counts:
        command = [sys.executable, "-m", "experiments.benchmarks.many_pairs", "--one", str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        found.append(json.loads(done.stdout.strip().splitlines()[-1]))
        print(found[-1], flush=True)
    print(json.dumps({"benchmark": "many_pairs", "hardware": hardware(None), "results": found}))


def written(folder: Path, count: int) -> Path:
    draw = random.Random(0)
    folder.mkdir()
    with (folder / "products.jsonl").open("w") as file:
        for number in range(PRODUCTS):
            title = " ".join(draw.choices(WORDS, k=12))
            file.write(json.dumps({"item_id": f"I{number}", "title": title}) + "\n")
    with (folder / "judgements.jsonl").open("w") as file:
        for number in range(count):
            if number % A_QUERY == 0:
                query = f"{' '.join(draw.choices(WORDS, k=3))} {number}"
            row = {"query": query, "item_id": f"I{draw.randrange(PRODUCTS)}", "label": draw.randrange(3)}
            file.write(json.dumps(row) + "\n")
    return folder


def trained(count: int) -> dict[str, Any]:
    from shopguide.config import BatchConfig, DataConfig, FinetuneConfig, ModelConfig, OptimizerConfig
    from shopguide.experiment.finetune import finetune
    from shopguide.experiment.fit import Place
    from shopguide.experiment.prepare import load_material, load_or_train_tokenizer
    from shopguide.tasks.relevance import Relevance

    marks: dict[str, Any] = {"pairs": count}

    def mark(name: str, begun: float) -> float:
        marks[f"{name}_s"], marks[f"{name}_mb"] = round(time.perf_counter() - begun, 1), round(resident(), 1)
        return time.perf_counter()

    with tempfile.TemporaryDirectory() as root:
        shop = written(Path(root) / "shop", count)
        clock = mark("started", time.perf_counter())
        material = load_material(DataConfig(name="many", reader="files", root=str(shop), cache_dir=f"{root}/cache"))
        clock = mark("read", clock)
        task = Relevance(name="relevance", fields=("title",))
        examples = task.checked_examples(material.shop, material.parts, material.truth)
        clock = mark("examples", clock)
        model = ModelConfig(name="tiny", config=SHAPE | {"intermediate_size": 64}, vocab_size=500)
        tokenizer = load_or_train_tokenizer(model, material)
        examples.split = [
            "train" if split != "test" or row >= 5000 else split for row, split in enumerate(examples.split)
        ]
        config = FinetuneConfig(
            epochs=1, max_length=64, batch=BatchConfig(size=ROWS), monitor=None, baselines=False, probe=False
        )
        place = Place(f"{root}/out", trainer={"max_steps": STEPS, "enable_progress_bar": False, "precision": "32-true"})
        finetune(task, examples, config, OptimizerConfig(lr=1e-3), model, tokenizer, place)
        mark("trained", clock)
    marks["anonymous_mb"] = round(resident("RssAnon"), 1)
    return marks


def resident(kind: str = "VmRSS") -> float:
    """Megabytes of this process (Linux)."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind)) / 1024


if __name__ == "__main__":
    main()
