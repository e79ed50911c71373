"""Loss of the two arms of the pretraining benchmark over more steps and three seeds: one picture, one line a seed.

python -m experiments.benchmarks.curves --data DATA/crowdflower --tokenizer WEIGHTS/minilm-l6 --out loss.png
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

ROOT = Path(__file__).parents[2]
ARMS = {"theirs": ("transformers.Trainer", "tab:orange"), "ours": ("shopguide", "tab:blue")}
WINDOW = 8


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__)
    made.add_argument("--data", required=True)
    made.add_argument("--tokenizer", required=True)
    made.add_argument("--out", type=Path, required=True, help="the picture")
    made.add_argument("--steps", type=int, default=60)
    made.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    args = made.parse_args()
    losses = {arm: np.array([run(args, arm, seed) for seed in args.seeds]) for arm in ARMS}
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for arm, (name, colour) in ARMS.items():
        for number, row in enumerate(losses[arm]):
            smooth = np.convolve(row, np.ones(WINDOW) / WINDOW, mode="valid")
            axes.plot(np.arange(len(smooth)) + WINDOW, smooth, color=colour, alpha=0.7, label=None if number else name)
    axes.set(
        xlabel=f"step (mean of the last {WINDOW})", ylabel="masked-LM loss", title="2 × 128, line by line, three seeds"
    )
    axes.legend()
    figure.savefig(args.out, dpi=130)
    for arm, rows in losses.items():
        last = rows[:, -WINDOW:].mean(1)
        print(
            arm,
            "last",
            WINDOW,
            "steps, by seed:",
            [round(float(x), 4) for x in last],
            "mean",
            round(float(last.mean()), 4),
        )
    gap = np.abs(losses["ours"].mean(0) - losses["theirs"].mean(0))
    print("largest distance of the means over seeds, any step:", round(float(gap.max()), 4))


def run(args: argparse.Namespace, arm: str, seed: int) -> list[float]:
    command = [sys.executable, "-m", "experiments.benchmarks.pretraining", "--arm", arm, "--case", "2x128 line"]
    command += ["--data", args.data, "--tokenizer", args.tokenizer, "--steps", str(args.steps), "--seed", str(seed)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])["losses"]


if __name__ == "__main__":
    main()
