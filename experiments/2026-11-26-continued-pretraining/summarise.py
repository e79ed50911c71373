"""What continued pretraining adds, set by set, paired by seed.

    python experiments/2026-11-26-continued-pretraining/summarise.py RUNS_FOLDER EXPERIMENT

RUNS_FOLDER is the `tracking.root` of the sweeps, EXPERIMENT their `tracking.experiment`; a sweep's `model.path` ends in
the name of its arm (`zh-none`, `zh-token`, `zh-word`, `zh-entity`, …). Writes results.md and results.png beside itself;
prints one JSON line last.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.sweeps import interval, trained

HERE = Path(__file__).parent
NONE = "none"
ARMS = {"token": ("tokens", "#7a7a7a"), "word": ("whole words", "#d9731a"), "entity": ("entities", "#2463a8")}

Scores = dict[str, dict[str, dict[int, float]]]
"""Set and metric → arm → seed → value."""


def main() -> None:
    scores: Scores = defaultdict(lambda: defaultdict(dict))
    for one in trained(Path(sys.argv[1]), sys.argv[2:]):
        arm = Path(one.settings["model.path"]).name.partition("-")[2]
        scores[f"{one.data}: {one.task}, {one.metric}"][arm][one.seed] = one.value
    rows = {name: row(arms) for name, arms in sorted(scores.items()) if len(arms) > 1}
    (HERE / "results.md").write_text(table(rows), encoding="utf-8")
    draw(rows)
    print(json.dumps(rows))


def row(arms: dict[str, dict[int, float]]) -> dict[str, tuple[float, float]]:
    """The mean without pretraining, and the gain of each arm over it, each with half the width of its interval."""
    plain = arms[NONE]
    gains = {arm: [value - plain[seed] for seed, value in arms[arm].items()] for arm in ARMS if arm in arms}
    return {NONE: interval(list(plain.values()))} | {arm: interval(values) for arm, values in gains.items()}


def table(rows: dict[str, dict[str, tuple[float, float]]]) -> str:
    heads = ["set", "no pretraining", *(f"gain, {name} masked" for name, _ in ARMS.values())]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, found in rows.items():
        cells = [f"{found[NONE][0]:.3f} ± {found[NONE][1]:.3f}"]
        cells += [f"{found[arm][0]:+.3f} ± {found[arm][1]:.3f}" if arm in found else "" for arm in ARMS]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def draw(rows: dict[str, dict[str, tuple[float, float]]]) -> None:
    figure = Figure(figsize=(9, 1.4 + 0.55 * len(rows)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for place, found in enumerate(list(rows.values())[::-1]):
        for shift, (arm, (_, colour)) in enumerate(ARMS.items()):
            if arm in found:
                mean, half = found[arm]
                axes.errorbar(mean, place + 0.2 * (1 - shift), xerr=half, fmt="o", color=colour, capsize=3)
    axes.set_yticks(range(len(rows)), list(rows)[::-1])
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_xlabel("gain over no continued pretraining")
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    for name, colour in ARMS.values():
        axes.plot([], [], "o", color=colour, label=f"{name} masked")
    figure.legend(frameon=False, loc="outside lower center", ncol=3)
    axes.set_title("Continued pretraining: mean gain over three seeds, 95 % intervals", loc="left", fontsize=11)
    figure.savefig(HERE / "results.png", dpi=130)


if __name__ == "__main__":
    main()
