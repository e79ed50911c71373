"""Runs that differ in their seed or fold alone stand for one setting; settings are compared pair by pair."""

import math
import statistics
from collections.abc import Mapping, Sequence

from scipy.special import stdtrit

from shopguide.config import FOLD
from shopguide.metrics.paired import holm, paired_t_test
from shopguide.runs.compare import Row, sign_of
from shopguide.runs.costs import COSTS

REPLICATED = ("seed", FOLD)
"""What may differ between runs of one setting."""


def replicated(rows: Sequence[Row], metric: str, names: Sequence[str] = REPLICATED) -> list[Row]:
    """One row a setting: `settings` without the names, `values` by what was replicated (and by the run, where a setting
    was run several times with the same seed and fold), `mean`, `sd`, `half`, `runs`.

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
    keys = [replicate(row["settings"], names) for row in runs]
    told = ((key if keys.count(key) == 1 else (*key, row["id"]), row) for key, row in zip(keys, runs, strict=True))
    values = {key: row["metrics"][metric] for key, row in told}
    each, count = list(values.values()), len(values)
    sd = statistics.stdev(each) if count > 1 else math.nan
    half = float(stdtrit(count - 1, 0.975)) * sd / math.sqrt(count) if count > 1 else math.nan
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


def fold_overlap(folds: int, forward: bool) -> float:
    """Of a cross-validation, examples that a fold is tested on as a share of those that it learns from, in the mean.

    Args:
        folds: how many.
        forward: whether they go forward in time, each learning from those before it, and from one part before all.
    """
    return statistics.fmean(1 / (fold + 1) for fold in range(folds)) if forward else 1 / (folds - 1)


def against(settings: Sequence[Row], baseline: Row, metric: str, overlap: float = 0.0) -> list[Row]:
    """The settings, the best first, with `gain` over the baseline (positive: better), the mean of the differences over
    the seeds or folds that both have, and `p` of a paired test, corrected for the number of tests (Holm 1979). NaN for
    the baseline itself, and where too few are shared.

    Args:
        settings: as `replicated` makes them.
        baseline: one of them.
        metric: by which they are compared.
        overlap: of the folds, as `fold_overlap`; 0 for seeds.
    """
    told, sign = [], sign_of(metric)
    for setting in settings:
        both = [key for key in setting["values"] if key in baseline["values"]]
        differences = [-sign * (setting["values"][key] - baseline["values"][key]) for key in both]
        found = {"gain": math.nan, "p": math.nan}
        if differences and setting is not baseline:
            found = {"gain": statistics.fmean(differences), "p": paired_t_test(differences, overlap)}
        told.append({**setting, **found, "is_baseline": setting is baseline, **_costs(setting["runs"])})
    for row, p in zip(told, holm([row["p"] for row in told]), strict=True):
        row["p"] = p
    return sorted(told, key=lambda row: sign * row["mean"])


def _costs(runs: Sequence[Row]) -> Row:
    """Means over the runs of a setting, of those that know them."""
    known = {name: [row[name] for row in runs if row.get(name) is not None] for name in COSTS}
    return {name: statistics.fmean(values) if values else None for name, values in known.items()}
