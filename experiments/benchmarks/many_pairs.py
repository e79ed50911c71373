"""Memory of fine-tuning on ever more judged pairs: the peak of `shopguide.train`, as a user types it.

    python -m experiments.benchmarks.many_pairs --counts 100000 1000000

Generated queries, products and judgements are read from files, checked, split, looked through for leaks, made into
examples, encoded, and learnt from for some steps with a tiny network; each count is a process of its own. Prints the
peak of its resident memory, in which the files that are mapped count too, and one JSON line last.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from experiments.benchmarks.harness import hardware

WORDS = [f"{first}{second}" for first in ("ba", "do", "fi", "gu", "ke", "lo") for second in ("ra", "sen", "tik", "vom")]
PRODUCTS, A_QUERY = 20_000, 20
SHAPE = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
SETTINGS = (
    "+experiment=ft_only",
    "data=files",
    "data.split.fractions=[0.98,0.01,0.01]",
    "tasks=[relevance]",
    "tasks.relevance.fields=[title]",
    *(f"model.config.{name}={value}" for name, value in SHAPE.items()),
    "model.vocab_size=500",
    "epochs=1",
    "finetune.max_length=64",
    "finetune.monitor=null",
    "finetune.probe=false",
    "finetune.baselines=false",
    "trainer.max_steps=200",
    "trainer.limit_val_batches=2",
)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--counts", type=int, nargs="+", default=[100_000, 300_000, 1_000_000])
    args = made.parse_args()
    found = []
    for count in args.counts:
        with tempfile.TemporaryDirectory() as folder:
            found.append(trained(Path(folder), count))
        print(found[-1], flush=True)
    print(json.dumps({"benchmark": "many_pairs", "hardware": hardware(None), "results": found}))


def trained(folder: Path, count: int) -> dict[str, float]:
    """Peak memory and seconds of a training on so many pairs."""
    places = (
        f"data.root={written(folder / 'shop', count)}",
        f"data.cache_dir={folder}/cache",
        f"tracking.root={folder}/runs",
    )
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "shopguide.train", *SETTINGS, *places], stdout=said, stderr=subprocess.STDOUT
        )
        _, status, usage = os.wait4(process.pid, 0)
        said.seek(0)
        if status:
            raise SystemExit(said.read()[-3000:])
    return {"pairs": count, "peak_mb": round(usage.ru_maxrss / 1024), "seconds": round(time.perf_counter() - begun)}


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


if __name__ == "__main__":
    main()
