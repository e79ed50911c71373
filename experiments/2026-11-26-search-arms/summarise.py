"""The arms of search and of recommendation on the demo shops, over seeds: means with 95 % intervals.

    python THIS ROOT:EXPERIMENT

ROOT is the `tracking.root` of the sweep and of `arms.py`. Writes results.md and results.png beside itself; prints one
JSON line last.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.sweeps import Trained, interval, trained

HERE = Path(__file__).parent
SHOWN = ("ndcg_at_10", "recall_at_10", "recall_at_100")
BESIDE = {"bm25": "BM25", "popularity": "popularity", "item_knn": "item-kNN"}
ADDED = {
    "fused": "with BM25",
    "with_item_knn": "with BM25 and item-kNN",
    "evaluate/demo/test/reranked_by_relevance": "its first 50 ordered by relevance",
}
ARMS = {
    "hard": "pretrained, 2 hard negatives",
    "teacher": "pretrained, 2 hard negatives, teacher",
    "items": "pretrained, vectors of products",
}
Values = dict[str, dict[str, dict[int, float]]]
"""Arm → metric → seed → value."""


def main() -> None:
    root, _, sweep = sys.argv[1].rpartition(":")
    found: dict[str, Values] = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    for experiment in (sweep, *ARMS):
        for one in trained(Path(root), [experiment]):
            if one.task in ("search", "recommend"):
                usual = "pretrained" if "pretrain" in one.settings["phases"] else "as it is"
                collect(found[one.task], one, ARMS.get(experiment, usual))
    lines = [line for task, values in sorted(found.items()) for line in table(task, values)]
    (HERE / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    draw(found)
    print(json.dumps(found))


def collect(values: Values, one: Trained, arm: str) -> None:
    names = {"test": arm} | BESIDE | {name: f"{arm}, {title}" for name, title in ADDED.items()}
    for name, title in names.items():
        for metric in SHOWN:
            if (value := one.metrics.get(f"{name}/{metric}")) is not None:
                values[title][metric][one.seed] = value


def table(task: str, values: Values) -> list[str]:
    lines = [f"| {task} | {' | '.join(SHOWN)} | seeds |", "|---" * (len(SHOWN) + 2) + "|"]
    for arm, own in sorted(values.items()):
        cells = ["{:.3f} ± {:.3f}".format(*interval(list(own[metric].values()))) for metric in SHOWN]
        lines.append(f"| {arm} | {' | '.join(cells)} | {len(own[SHOWN[0]])} |")
    return [*lines, ""]


def draw(found: dict[str, Values]) -> None:
    figure = Figure(figsize=(9, 1 + 0.3 * sum(map(len, found.values()))), layout="constrained")
    FigureCanvasAgg(figure)
    heights = [len(values) for _, values in sorted(found.items())]
    grid = figure.subplots(len(found), 1, height_ratios=heights, squeeze=False)
    for axes, (task, values) in zip(grid[:, 0], sorted(found.items()), strict=True):
        for place, (_, own) in enumerate(sorted(values.items())[::-1]):
            mean, half = interval(list(own[SHOWN[0]].values()))
            axes.errorbar(mean, place, xerr=half, fmt="o", color="#2463a8", capsize=3)
        axes.set_yticks(range(len(values)), sorted(values)[::-1])
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(f"{task}, {SHOWN[0]}", loc="left", fontsize=10)
    figure.savefig(HERE / "results.png", dpi=110)


if __name__ == "__main__":
    main()
