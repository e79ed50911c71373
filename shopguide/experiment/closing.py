"""The table at an experiment's end."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from shopguide.experiment.heads.head import head_of
from shopguide.inference.evaluation import COUNTED
from shopguide.inference.grades import GRADED, RANKED
from shopguide.runs.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun
    from rich.table import Table

BESIDE = {
    "majority": "majority",
    "lexicon": "lexicon",
    "tfidf_lr": "TF-IDF + LR",
    "word_lr": "word LR",
    "bm25": "BM25",
    "fused": "with BM25",
    "popularity": "popularity",
    "item_knn": "item-kNN",
    "with_item_knn": "with both",
    "network": "network alone",
    "ceiling": "ceiling",
}
"""Baseline → its title."""
SIMPLE = ("majority", "lexicon", "tfidf_lr", "word_lr", "bm25", "popularity", "item_knn")
"""Those that cost nothing to have: what is below one of them is told."""
MOST = 4
"""Baselines that stand beside each other."""
WIDTH, WIDER = 120, 144
"""Letters of a table with so many baselines, and with more."""


def closing_table(store: Store, run_id: str) -> None:
    """Print phase, task, metric, value, and baselines beside it, from what the runs hold; where the tasks have many
    baselines between them, those with the same ones stand in a table of their own. Below it, the tasks whose model is
    worse than a simple baseline.
    """
    from rich.console import Console

    children = store.find_phases(run_id)
    children = [c for c in children if not c.data.tags.get("shopguide.phase", "").startswith("shared ")]
    together = _beside(children)
    apart = groupby(children, key=lambda child: _beside([child])) if len(together) > MOST else [(together, children)]
    for beside, rows in apart:
        Console(width=WIDTH if len(beside) <= MOST else WIDER).print(_table(beside, rows))
    for line in filter(None, map(_below_baseline, children)):
        print(line, flush=True)


def _below_baseline(child: "MlflowRun") -> str | None:
    """By the first metric of its kind, or of its ranking, beyond the model's interval; None: by none that is known."""
    metrics, tags = child.data.metrics, child.data.tags
    if not (task := tags.get("task")):
        return None
    shown = head_of(tags.get("task_kind", "classification")).shown[0]
    split = _split(metrics, shown)
    for name in (shown, *RANKED):
        own = metrics.get(f"{split}/{name}")
        others = [(metrics[key], BESIDE[simple]) for simple in SIMPLE if (key := f"{simple}/{name}") in metrics]
        if own is None or not others:
            continue
        value, best = max(others)
        if value > metrics.get(f"{split}/{name}.high", own):
            more = "more records, epochs or a larger pretrained model may help"
            return f"{task}: {best} does better by {name} ({own:.4f} against {value:.4f}): {more}"
    return None


def _split(metrics: Mapping[str, float], name: str) -> str:
    return "test" if f"test/{name}" in metrics else "dev_final"


def _beside(children: "Iterable[MlflowRun]") -> dict[str, str]:
    known = {name.split("/")[0] for child in children for name in child.data.metrics}
    return {name: title for name, title in BESIDE.items() if name in known}


def _table(beside: Mapping[str, str], children: "Iterable[MlflowRun]") -> "Table":
    from rich.table import Table

    table = Table(title="Results", header_style="bold")
    for title in ("phase", "task", "metric", "model", "95 % interval", *beside.values()):
        table.add_column(title, justify="left" if title in ("phase", "task", "metric") else "right")
    for child in children:
        phase, tags = child.data.tags.get("shopguide.phase", ""), child.data.tags
        kind = tags.get("task_kind", "classification")
        for row in result_rows(phase.split(" ")[0], tags.get("task", ""), kind, child.data.metrics, list(beside)):
            table.add_row(*row)
        table.add_section()
    return table


def told_metrics(shown: Sequence[str], split: str, metrics: Mapping[str, float]) -> list[str]:
    """The metrics of a task that people look at: those of its kind, and where it counts one class or ranks, those."""
    more = [name for name in (*COUNTED, *RANKED, *GRADED) if f"{split}/{name}" in metrics and name not in shown]
    return [*shown, *more]


def result_rows(phase: str, task: str, kind: str, metrics: Mapping[str, float], beside: list[str]) -> list[list[str]]:
    """Phase, task, metric, value, 95 % interval and the baselines' values of each metric that people look at.

    Args:
        phase: `pretrain` or `finetune`.
        task: its name; none of a pretraining.
        kind: of the task.
        metrics: of the phase's run.
        beside: keys of baselines.
    """
    if phase == "pretrain":
        wanted = ("dev/perplexity", "dev/masked_accuracy", "dev/next_token_accuracy")
        kept = {name: metrics[f"kept/{name}"] for name in wanted if f"kept/{name}" in metrics}
        return [[phase, "", name, f"{value:.4f}", *[""] * (1 + len(beside))] for name, value in kept.items()]
    shown_of = head_of(kind).shown
    split = _split(metrics, shown_of[0])
    targets = sorted(
        name.split("/", 2)[2]
        for name in metrics
        if name.startswith(f"{split}/macro_f1/") and not name.endswith((".low", ".high"))
    )
    names = [*told_metrics(shown_of, split, metrics), *(f"macro_f1/{target}" for target in targets)]
    shown = []
    for name in names:
        low, high = (metrics.get(f"{split}/{name}.{end}") for end in ("low", "high"))
        interval = "" if low is None or high is None else f"{low:.3f} – {high:.3f}"
        others = [metrics.get(f"{key}/{name}") for key in beside]
        cells = ["" if value is None else f"{value:.4f}" for value in others]
        label = f"{split.removesuffix('_final')}/{name}"
        shown.append([phase, task, label, f"{metrics[f'{split}/{name}']:.4f}", interval, *cells])
    return shown
