"""Test scores of a sweep over seeds: with and without pretraining, both baselines, the ceiling.

    python -m shopguide.train -m experiment=mlm_then_ft,ft_only seed=1,2,3 \
        'data.options.seed=${seed}' tracking.experiment=study
    python experiments/2026-11-24-demo-shop/summarise.py RUN_ID_OF_THE_SWEEP

Writes results.md and results.png beside itself; prints one JSON line last.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from scipy.stats import t

from shopguide.runs.store import open_store

HERE = Path(__file__).parent
TASKS = ("need", "features", "relevance")
METRICS = ("macro_f1", "accuracy")
SYSTEMS = {
    "majority": ("majority", "#c9c9c9"),
    "tfidf_lr": ("TF-IDF + LR", "#9a9a9a"),
    "ft_only": ("fine-tuning only", "#d9731a"),
    "mlm_then_ft": ("pretraining, then fine-tuning", "#2463a8"),
    "ceiling": ("ceiling", "#3a8a4d"),
}


def main() -> None:
    scores = collect(sys.argv[1])
    rows = [summary(task, metric, scores) for task in TASKS for metric in METRICS]
    (HERE / "results.md").write_text(table(rows), encoding="utf-8")
    draw([row for row in rows if row["metric"] == "macro_f1"])
    print(json.dumps({"sweep": sys.argv[1], "rows": rows}))


def collect(sweep: str) -> dict[tuple[str, str, str], dict[int, float]]:
    """(task, metric, system) → seed → value."""
    store = open_store(None, "study", Path("mlruns"))
    found: dict[tuple[str, str, str], dict[int, float]] = defaultdict(dict)
    for job in store.find_children(sweep):
        seed, name = int(job.data.tags["seed"]), job.data.params["name"]
        for phase in store.find_children(job.info.run_id):
            task, values = phase.data.tags.get("task"), phase.data.metrics
            for metric in METRICS if task else ():
                found[task, metric, name][seed] = values[f"test/{metric}"]
                for other in ("majority", "tfidf_lr", "ceiling"):
                    found[task, metric, other][seed] = values[f"{other}/{metric}"]
    return found


def summary(task: str, metric: str, scores: dict[tuple[str, str, str], dict[int, float]]) -> dict[str, object]:
    """Means with the half width of their 95 % interval (Student's t), and paired differences over the seeds."""
    out: dict[str, object] = {"task": task, "metric": metric}
    for system in SYSTEMS:
        out[system] = interval(list(scores[task, metric, system].values()))
    own = scores[task, metric, "mlm_then_ft"]
    for other in ("ft_only", "tfidf_lr"):
        out[f"mlm_then_ft - {other}"] = interval([own[seed] - scores[task, metric, other][seed] for seed in own])
    return out


def interval(values: list[float]) -> list[float]:
    array = np.array(values)
    half = t.ppf(0.975, len(array) - 1) * array.std(ddof=1) / np.sqrt(len(array))
    return [round(float(array.mean()), 4), round(float(half), 4)]


def table(rows: list[dict[str, object]]) -> str:
    names = [*(label for label, _ in SYSTEMS.values()), "gain by pretraining", "gain over TF-IDF + LR"]
    keys = [*SYSTEMS, "mlm_then_ft - ft_only", "mlm_then_ft - tfidf_lr"]
    lines = ["| task | metric | " + " | ".join(names) + " |", "|---|---|" + "---|" * len(names)]
    for row in rows:
        cells = []
        for key in keys:
            mean, half = row[key]  # type: ignore[misc]
            cells.append(f"{mean:+.3f} ± {half:.3f}" if " - " in key else f"{mean:.3f} ± {half:.3f}")
        lines.append(f"| {row['task']} | {row['metric']} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def draw(rows: list[dict[str, object]]) -> None:
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(rows), sharey=True)
    for ax, row in zip(axes, rows, strict=True):
        for place, (system, (_, colour)) in enumerate(SYSTEMS.items()):
            mean, half = row[system]  # type: ignore[misc]
            ax.bar(place, mean, yerr=half, color=colour, capsize=3, width=0.75)
            ax.text(place, mean + half + 0.015, f"{mean:.2f}", ha="center", fontsize=8)
        ax.set_title(str(row["task"]), loc="left", fontweight="bold", fontsize=11)
        ax.set_xticks([])
        ax.set_ylim(0, 1.06)
        ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("macro-F1 on the test split")
    handles = [axes[0].containers[2 * i + 1] for i in range(len(SYSTEMS))]
    figure.legend(
        handles,
        [label for label, _ in SYSTEMS.values()],
        loc="outside lower center",
        ncols=5,
        frameon=False,
        fontsize=8,
    )
    figure.savefig(HERE / "results.png", dpi=140)


if __name__ == "__main__":
    main()
