"""The task models of several sweeps, over seeds: means with intervals, beside their baselines and the peers.

    python THIS ROOT:EXPERIMENT …

ROOT is the `tracking.root` of a sweep. Writes results.md and results.png beside itself; prints one JSON line last.
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
    "match": ("f1", "macro_f1", "accuracy"),
    "recommend": ("ndcg_at_10", "recall_at_10", "recall_at_100"),
    "relevance": ("ndcg_at_10", "mrr", "rmse", "kappa", "macro_f1"),
    "search": ("ndcg_at_10", "recall_at_10", "recall_at_100"),
}
BESIDE = {
    "tfidf_lr": "TF-IDF + LR",
    "bm25": "BM25",
    "popularity": "popularity",
    "item_knn": "item-kNN",
    "fused": "with BM25",
    "with_item_knn": "with BM25 and item-kNN",
    "network": "",
}
OURS = "shopguide"
ARMS = {"finetune.matching.hard": ("0", "2 hard negatives"), "finetune.lexical": ("False", "lexical branch")}
"""Setting → its usual value, and what another one is called."""

Values = dict[str, dict[str, dict[int, float]]]
"""Arm → metric → seed → value."""


def main() -> None:
    found: dict[tuple[str, str], Values] = defaultdict(lambda: defaultdict(lambda: defaultdict(dict)))
    for place in sys.argv[1:]:
        root, _, experiment = place.rpartition(":")
        for one in trained(Path(root), [experiment]):
            collect(found[one.data, one.task], one)
    for line in (HERE / "peers.jsonl").read_text(encoding="utf-8").splitlines():
        peer = json.loads(line)
        for row in peer["rows"]:
            for metric in SHOWN[peer["task"]]:
                found[peer["set"], peer["task"]][peer["arm"]][metric][row["seed"]] = row[metric]
    lines = [line for key, values in sorted(found.items(), key=by_task) for line in table(*key, values)]
    (HERE / "results.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    draw(found)
    means = {
        f"{data} {task}": {arm: {m: interval(list(v.values())) for m, v in own.items()} for arm, own in values.items()}
        for (data, task), values in sorted(found.items())
    }
    print(json.dumps(means))


def by_task(item: tuple[tuple[str, str], Values]) -> tuple[str, str]:
    return item[0][::-1]


def arm_of(one: Trained) -> str:
    loss = one.settings["finetune.loss.target"].split(".")[-2].replace("_", " ")
    named = [loss] if one.task == "relevance" and loss != "cross entropy" else []
    named += [title for key, (usual, title) in ARMS.items() if one.settings.get(key, usual) != usual]
    return ", ".join([OURS, *named])


def collect(values: Values, one: Trained) -> None:
    """The model's figures, and those of what stands beside it; a fused model's network alone is the usual arm."""
    split, arm = "test" if f"test/{one.metric}" in one.metrics else "dev_final", arm_of(one)
    for metric in SHOWN[one.task]:
        values[arm][metric][one.seed] = one.metrics[f"{split}/{metric}"]
        for name, title in BESIDE.items():
            if (value := one.metrics.get(f"{name}/{metric}")) is None:
                continue
            beside = OURS if not title else f"{arm} {title}" if title.startswith("with") else title
            values[beside][metric].setdefault(one.seed, value)


def table(data: str, task: str, values: Values) -> list[str]:
    heads = [f"{data}: {task}", *SHOWN[task], "seeds"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for arm, own in sorted(values.items()):
        cells = [cell(own.get(metric)) for metric in SHOWN[task]]
        lines.append(f"| {arm} | " + " | ".join([*cells, str(len(own[SHOWN[task][0]]))]) + " |")
    return [*lines, ""]


def cell(values: dict[int, float] | None) -> str:
    if not values:
        return ""
    mean, half = interval(list(values.values()))
    return f"{mean:.3f} ± {half:.3f}" if len(values) > 1 else f"{mean:.3f}"


def draw(found: dict[tuple[str, str], Values]) -> None:
    ordered = sorted(found.items(), key=by_task)
    figure = Figure(figsize=(9, 1 + 0.3 * sum(len(values) + 1 for _, values in ordered)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(len(ordered), 1, height_ratios=[len(values) + 1 for _, values in ordered], squeeze=False)
    for axes, ((data, task), values) in zip(grid[:, 0], ordered, strict=True):
        metric = SHOWN[task][0]
        for place, (arm, own) in enumerate(sorted(values.items())[::-1]):
            each = list(own[metric].values())
            mean, half = interval(each)
            colour = "#2463a8" if arm.startswith(OURS) else "#c0561c" if "ransformer" in arm else "#7a7a7a"
            axes.errorbar(mean, place, xerr=half if len(each) > 1 else None, fmt="o", color=colour, capsize=3)
        axes.set_yticks(range(len(values)), sorted(values)[::-1])
        axes.set_ylim(-0.7, len(values) - 0.3)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_title(f"{data}: {task}, {metric}", loc="left", fontsize=10)
    figure.savefig(HERE / "results.png", dpi=110)


if __name__ == "__main__":
    main()
