"""Losses of grades, and arms of search, over seeds: means with intervals, beside BM25 and TF-IDF.

    python experiments/2026-11-26-losses-of-grades/summarise.py RUNS_FOLDER EXPERIMENT …

RUNS_FOLDER is the `tracking.root` of the sweeps. An arm of `relevance` is its loss, one of `search` its experiment.
Writes results.md and results.png beside itself; prints one JSON line last.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.sweeps import Trained, interval, trained

HERE = Path(__file__).parent
SHOWN = {
    "relevance": ("ndcg_at_10", "mrr", "rmse", "kappa", "macro_f1"),
    "search": ("ndcg_at_10", "mrr_at_10", "recall_at_10", "recall_at_100"),
}
BESIDE = {"tfidf_lr": "TF-IDF + LR", "bm25": "BM25", "fused": "with BM25"}
COST = "cost/training_seconds"

Values = dict[str, dict[str, dict[int, float]]]
"""Arm → metric → seed → value."""


def main() -> None:
    found: dict[tuple[str, str], Values] = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    for experiment in sys.argv[2:]:
        for one in trained(Path(sys.argv[1]), [experiment]):
            collect(found[one.data, one.task], arm_of(one, experiment), one)
    lines = [line for key, values in sorted(found.items()) for line in table(*key, values)]
    (HERE / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    draw(found)
    means = {
        f"{data} {task}": {arm: {m: interval(list(v.values())) for m, v in own.items()} for arm, own in values.items()}
        for (data, task), values in sorted(found.items())
    }
    print(json.dumps(means))


def arm_of(one: Trained, experiment: str) -> str:
    if one.task == "search":
        return experiment.removeprefix("search-")
    return one.settings["finetune.loss.target"].split(".")[-2].replace("_", " ")


def collect(values: Values, arm: str, one: Trained) -> None:
    """The model's figures, and once a seed those of what stands beside it."""
    split = "test" if f"test/{one.metric}" in one.metrics else "dev_final"
    for metric in SHOWN[one.task]:
        values[arm][metric][one.seed] = one.metrics[f"{split}/{metric}"]
        for name, title in BESIDE.items():
            if f"{name}/{metric}" in one.metrics:
                beside = f"{arm} {title}" if name == "fused" else title
                values[beside][metric][one.seed] = one.metrics[f"{name}/{metric}"]
    values[arm][COST][one.seed] = one.metrics[COST]


def table(data: str, task: str, values: Values) -> list[str]:
    heads = [f"{data}: {task}", *SHOWN[task], "seeds", "training, s"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for arm, own in sorted(values.items()):
        cells = [cell(own.get(metric)) for metric in SHOWN[task]]
        seconds = f"{interval(list(own[COST].values()))[0]:.0f}" if COST in own else ""
        lines.append(f"| {arm} | " + " | ".join([*cells, str(len(own[SHOWN[task][0]])), seconds]) + " |")
    return [*lines, ""]


def cell(values: dict[int, float] | None) -> str:
    return "" if not values else "{:.3f} ± {:.3f}".format(*interval(list(values.values())))


def draw(found: dict[tuple[str, str], Values]) -> None:
    figure = Figure(figsize=(9, 1 + 0.34 * sum(len(values) for values in found.values())), layout="constrained")
    FigureCanvasAgg(figure)
    sizes = [len(values) for _, values in sorted(found.items())]
    grid = figure.subplots(len(found), 1, height_ratios=sizes, squeeze=False)
    for axes, ((data, task), values) in zip(grid[:, 0], sorted(found.items()), strict=True):
        for place, (arm, own) in enumerate(sorted(values.items())[::-1]):
            mean, half = interval(list(own["ndcg_at_10"].values()))
            beside = any(title in arm for title in BESIDE.values())
            axes.errorbar(
                mean, place, xerr=half, fmt="s" if beside else "o", color="#7a7a7a" if beside else "#2463a8", capsize=3
            )
        axes.set_yticks(range(len(values)), sorted(values)[::-1])
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(f"{data}: {task}, nDCG@10 (mean and 95 % interval over seeds)", loc="left", fontsize=10)
    figure.savefig(HERE / "results.png", dpi=130)


if __name__ == "__main__":
    main()
