"""What the networks of the fine-tuning benchmark answer after the same steps, over seeds: is speed paid for in quality?

    python -m experiments.benchmarks.agreement --data DATA/crowdflower --model WEIGHTS/minilm-l6

Each arm trains on pairs of the training split, then answers the same dev pairs in one plain way, in full precision.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from experiments.benchmarks.harness import hardware

ROOT = Path(__file__).parents[2]
ARMS = {
    "shopguide": ("ours", "dynamic"),
    "transformers.Trainer": ("theirs", "dynamic"),
    "CrossEncoderTrainer": ("theirs", "cross_encoder"),
}
METRICS = ("dev_macro_f1", "dev_accuracy")


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", required=True)
    made.add_argument("--model", required=True)
    made.add_argument("--fields", default="title,description", help="of a product, what is read")
    made.add_argument("--steps", type=int, default=96)
    made.add_argument("--dev", type=int, default=1000)
    made.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    made.add_argument("--out", type=Path, default=None, help="file that the JSON line is written to as well")
    args = made.parse_args()
    results = []
    for name, (arm, case) in ARMS.items():
        lines = [run(args, arm, case, seed) for seed in args.seeds]
        found: dict[str, Any] = {metric: [round(line[metric], 4) for line in lines] for metric in METRICS}
        results.append({"case": name, "fields": args.fields, "steps": args.steps, "seeds": args.seeds, **found})
        print(f"{name}: {', '.join(f'{metric} {found[metric]}' for metric in METRICS)}", flush=True)
    line = json.dumps({"benchmark": "agreement", "hardware": hardware(None), "results": results})
    if args.out:
        args.out.write_text(line + "\n", encoding="utf-8")
    print(line)


def run(args: argparse.Namespace, arm: str, case: str, seed: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "experiments.benchmarks.finetuning", "--arm", arm, "--case", case]
    command += ["--data", args.data, "--model", args.model, "--fields", args.fields]
    command += ["--steps", str(args.steps), "--dev", str(args.dev)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [*command, "--seed", str(seed)], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
