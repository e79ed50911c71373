"""Cross-validation: jobs that differ in their fold alone stand for one setting."""

import math
from collections.abc import Sequence
from typing import Any

from shopguide.config import FOLD
from shopguide.runs.compare import Row, sign_of
from shopguide.runs.replicates import replicated

EFFORT = ("epochs", "lr")
"""Of settings that do about as well, the one with the least of these, in this order, is the simplest."""


def over_folds(rows: Sequence[Row], metric: str, folds: int) -> list[Row]:
    """One row a setting: `settings`, `values` by fold, `mean`, `sd`, `half`; the best mean first, those of which a fold
    is missing last.

    `half` is half the width of the 95 % interval of the mean (Student's t over the folds). Folds share what they learn
    from, so that it is rather too narrow (Bengio and Grandvalet 2004, "No Unbiased Estimator of the Variance of K-Fold
    Cross-Validation").

    Args:
        rows: of the jobs, as `sweep_table` makes them.
        metric: by which settings are compared.
        folds: that a setting has.
    """
    found = replicated(rows, metric, (FOLD,))
    told = [
        {
            "settings": row["settings"],
            "values": dict(sorted((int(fold), value) for (fold, *_), value in row["values"].items())),
            **{name: row[name] for name in ("mean", "sd", "half")},
        }
        for row in found
    ]
    return sorted(told, key=lambda row: (len(row["values"]) < folds, sign_of(metric) * row["mean"]))


def chosen(rows: Sequence[Row], metric: str) -> Row:
    """By the one-standard-error rule (Breiman, Friedman, Olshen and Stone 1984): of the settings whose mean is within a
    standard error of the best one's, the simplest: the fewest epochs, then the lowest learning rate.

    Args:
        rows: as `over_folds` makes them, the best first.
        metric: by which they were compared.
    """
    best = rows[0]
    error = best["sd"] / math.sqrt(len(best["values"])) if len(best["values"]) > 1 else 0.0
    sign = sign_of(metric)
    near = [row for row in rows if sign * row["mean"] <= sign * best["mean"] + error]
    full = [row for row in near if len(row["values"]) == len(best["values"])]
    return min(full, key=lambda row: [float(row["settings"].get(name, 0)) for name in EFFORT])


def render_folds(rows: Sequence[Row], title: str, picked: Row) -> Any:
    """The settings as a table for the terminal; the chosen one is marked."""
    from rich.table import Table

    table = Table(title=title, header_style="bold")
    for name in rows[0]["settings"]:
        table.add_column(name)
    for name in ("mean", "sd", "95 % interval", "folds"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in rows:
        low, high = row["mean"] - row["half"], row["mean"] + row["half"]
        cells = [f"{row['mean']:.4f}", f"{row['sd']:.4f}", f"{low:.3f} – {high:.3f}", str(len(row["values"]))]
        table.add_row(*row["settings"].values(), *cells, "chosen" if row is picked else "")
    return table
