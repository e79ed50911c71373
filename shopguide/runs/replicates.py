"""Runs that differ in their seed or fold alone stand for one setting; settings are compared pair by pair."""

import math
import statistics
from collections.abc import Mapping, Sequence

from scipy.stats import t

from shopguide.config import FOLD
from shopguide.metrics.paired import paired_t_test
from shopguide.runs.compare import Row, sign_of

REPLICATED = ("seed", FOLD)
"""What may differ between runs of one setting."""
COSTS = ("seconds", "tokens_per_second", "peak_memory_gb", "parameters")


def replicated(rows: Sequence[Row], metric: str, names: Sequence[str] = REPLICATED) -> list[Row]:
    """One row a setting: `settings` without the names, `values` by what was replicated, `mean`, `sd`, `half`, `runs`.

    `half` is half the width of the 95 % interval of the mean (Student's t). Rows without a value are passed over.

    Args:
        rows: of runs, as `job_rows` makes them.
        metric: whose values are gathered.
        names: of settings that may differ within one.
    """
    found: dict[tuple[tuple[str, str], ...], list[Row]] = {}
    for row in rows:
        if not math.isnan(row["metrics"].get(metric, math.nan)):
            own = tuple((name, value) for name, value in row["settings"].items() if name not in names)
            found.setdefault(own, []).append(row)
    return [_setting(dict(own), runs, metric, names) for own, runs in found.items()]


def _setting(settings: dict[str, str], runs: Sequence[Row], metric: str, names: Sequence[str]) -> Row:
    by_replicate = {replicate(row["settings"], names): row["metrics"][metric] for row in runs}
    values = dict(sorted(by_replicate.items()))
    each, count = list(values.values()), len(values)
    sd = statistics.stdev(each) if count > 1 else math.nan
    half = float(t.ppf(0.975, count - 1)) * sd / math.sqrt(count) if count > 1 else math.nan
    return {
        "settings": settings,
        "values": values,
        "mean": statistics.fmean(each),
        "sd": sd,
        "half": half,
        "runs": list(runs),
    }


def replicate(settings: Mapping[str, str], names: Sequence[str] = REPLICATED) -> tuple[str, ...]:
    """What tells a run from the others of its setting: its seed, its fold."""
    return tuple(str(settings[name]) for name in names if name in settings)


def against(settings: Sequence[Row], baseline: Row, metric: str) -> list[Row]:
    """The settings with `gain` over the baseline (positive: better), the mean of the differences over the seeds or
    folds that both have, and `p` of a paired test; NaN of the baseline and of too few; the best first.

    Args:
        settings: as `replicated` makes them.
        baseline: one of them.
        metric: by which they are compared.
    """
    told, sign = [], sign_of(metric)
    folds = {row["settings"][FOLD] for setting in settings for row in setting["runs"] if FOLD in row["settings"]}
    overlap = 1 / (len(folds) - 1) if len(folds) > 1 else 0.0
    for setting in settings:
        both = [key for key in setting["values"] if key in baseline["values"]]
        differences = [-sign * (setting["values"][key] - baseline["values"][key]) for key in both]
        found = {"gain": math.nan, "p": math.nan}
        if differences and setting is not baseline:
            found = {"gain": statistics.fmean(differences), "p": paired_t_test(differences, overlap)}
        told.append({**setting, **found, "is_baseline": setting is baseline, **_costs(setting["runs"])})
    return sorted(told, key=lambda row: sign * row["mean"])


def _costs(runs: Sequence[Row]) -> Row:
    """Means over the runs of a setting, of those that know them."""
    known = {name: [row[name] for row in runs if row.get(name) is not None] for name in COSTS}
    return {name: statistics.fmean(values) if values else None for name, values in known.items()}
