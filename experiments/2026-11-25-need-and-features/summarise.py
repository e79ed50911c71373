"""Scores of sweeps over seeds on public sets: the model, its network alone, a peer, the baselines, what they cost.

    python experiments/2026-11-25-need-and-features/summarise.py RUNS_FOLDER study probe

RUNS_FOLDER is the `tracking.root` of the sweeps, then come their `tracking.experiment`s. The peer's rows are read from
peers.jsonl beside this file (the last line of each run of peer.py). Writes results.md and results.png beside itself;
prints one JSON line last.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.sweeps import interval
from shopguide.experiment.heads.head import head_of
from shopguide.runs.store import Store, open_store

HERE = Path(__file__).parent
SIMPLE = {"majority": "majority", "lexicon": "lexicon", "tfidf_lr": "TF-IDF + LR", "word_lr": "word LR"}
PEER = "peer"
SYSTEMS = {"model": "shopguide", "network": "network alone", PEER: "transformers.Trainer", **SIMPLE}
METRICS = {"f1": ("f1",), "macro_f1": ("macro_f1", "weighted_f1", "macro_f1/category")}
"""What a kind of task is known by → the metrics of the table."""
PROBED = " + probe"
COLOURS = {
    "model": "#2463a8",
    "network": "#d9731a",
    PEER: "#8a4fa3",
    "tfidf_lr": "#7a7a7a",
    "word_lr": "#7a7a7a",
    "lexicon": "#b5b5b5",
}
COSTS = ("cost/training_seconds", "cost/peak_memory_gb")

Key = tuple[str, str, str]
"""Set, task, metric."""
Scores = dict[Key, dict[str, dict[int, float]]]
"""Key → system → seed → value."""


def main() -> None:
    scores: Scores = defaultdict(lambda: defaultdict(dict))
    for experiment in sys.argv[2:]:
        collect(open_store(None, experiment, Path(sys.argv[1]), create=False), scores)
    for line in (HERE / "peers.jsonl").read_text(encoding="utf-8").splitlines():
        add_peer(json.loads(line), scores)
    rows = [summary(key, systems) for key, systems in sorted(scores.items())]
    (HERE / "results.md").write_text(table(rows), encoding="utf-8")
    draw(rows)
    print(json.dumps({"rows": rows}))


def collect(store: Store, scores: Scores) -> None:
    sweeps = store.client.search_runs([store.experiment_id], "tags.`shopguide.kind` = 'sweep'", max_results=1000)
    whole = [sweep for sweep in sweeps if sweep.info.status == "FINISHED"]
    for job in (job for sweep in whole for job in store.find_children(sweep.info.run_id)):
        if job.info.status != "FINISHED":
            continue
        seed, name = int(job.data.tags["seed"]), job.data.params["data.name"]
        name += PROBED if job.data.params.get("finetune.probe") == "True" else ""
        for phase in store.find_children(job.info.run_id):
            tags, values = phase.data.tags, phase.data.metrics
            shown = head_of(tags.get("task_kind", "classification")).shown
            split = "test" if f"test/{shown[0]}" in values else "dev_final"
            for metric in (metric for metric in METRICS[shown[0]] if f"{split}/{metric}" in values):
                row = scores[name, f"{tags['task']} ({split.removesuffix('_final')})", metric]
                for system in SYSTEMS:
                    value = values.get(f"{split if system == 'model' else system}/{metric}")
                    if value is not None:
                        row[system][seed] = value
                for cost in COSTS:
                    row[cost][seed] = values[cost]


def add_peer(peer: dict[str, Any], scores: Scores) -> None:
    """To the rows of its set and task; its metric is of one target, and has no other name where there is only one."""
    own = {
        key: row
        for key, row in scores.items()
        if (key[0].removesuffix(PROBED), key[1].split()[0]) == (peer["set"], peer["task"])
    }
    metrics = {key[2] for key in own}
    named = peer["metric"] if peer["metric"] in metrics else peer["metric"].partition("/")[0]
    for key, row in own.items():
        if key[2] == named:
            row[PEER] = {one["seed"]: one["f1"] for one in peer["rows"]}


def summary(key: Key, systems: dict[str, dict[int, float]]) -> dict[str, object]:
    """Means with the half width of their 95 % interval (Student's t), and the gain over the best baseline."""
    best = max((s for s in SIMPLE if s in systems), key=lambda s: np.mean(list(systems[s].values())))
    own = systems["model"]
    out: dict[str, object] = {"set": key[0], "task": key[1], "metric": key[2], "seeds": len(own), "best": best}
    out |= {name: interval(list(values.values())) for name, values in systems.items()}
    return out | {"gain": interval([own[seed] - systems[best][seed] for seed in own])}


def table(rows: list[dict[str, object]]) -> str:
    names = [*SYSTEMS.values(), "gain over the best baseline", "training, s", "peak memory, GB"]
    lines = ["| set | task (split) | metric | " + " | ".join(names) + " |", "|---" * (3 + len(names)) + "|"]
    for row in rows:
        cells = [shown(row.get(system)) for system in SYSTEMS]
        gain, (seconds, _), (memory, _) = row["gain"], row[COSTS[0]], row[COSTS[1]]  # type: ignore[misc]
        cells += [f"{gain[0]:+.3f} ± {gain[1]:.3f}", f"{seconds:.0f}", f"{memory:.2f}"]  # type: ignore[index]
        lines.append(f"| {row['set']} | {row['task']} | {row['metric']} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def shown(value: object) -> str:
    return "" if value is None else f"{value[0]:.3f} ± {value[1]:.3f}"  # type: ignore[index]


def draw(rows: list[dict[str, object]]) -> None:
    chosen = [row for row in rows if row["metric"] in ("f1", "macro_f1")][::-1]
    figure = Figure(figsize=(10, 1.2 + 0.5 * len(chosen)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for place, row in enumerate(chosen):
        for system, colour in reversed(COLOURS.items()):  # the model on top
            if system in row:
                mean, half = row[system]  # type: ignore[misc]
                marker = "o" if system == "model" else "s"
                axes.errorbar(
                    mean,
                    place,
                    xerr=half,
                    fmt=marker,
                    color=colour,
                    capsize=3,
                    markersize=8 if system == "model" else 10,
                )
    axes.set_yticks(range(len(chosen)), [f"{row['set']}: {row['task']}, {row['metric']}" for row in chosen])
    axes.set_xlim(0, 1.02)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    for system, colour in COLOURS.items():
        if system != "word_lr":
            label = "TF-IDF or word LR" if system == "tfidf_lr" else SYSTEMS[system]
            axes.plot([], [], "o" if system == "model" else "s", color=colour, label=label)
    figure.legend(frameon=False, loc="outside lower center", ncol=5)
    axes.set_title("Means over three seeds with 95 % intervals", loc="left", fontsize=11)
    figure.savefig(HERE / "results.png", dpi=130)


if __name__ == "__main__":
    main()
