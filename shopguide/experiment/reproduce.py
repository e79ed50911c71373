"""An experiment made again from what its run holds, and what came out otherwise."""

import dataclasses
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlflow.entities import Run as MlflowRun

from shopguide.checks import parse_config
from shopguide.config import Config, TrackingConfig
from shopguide.errors import ConfigError, RunError
from shopguide.experiment.prepare import load_material
from shopguide.experiment.run import run_experiment
from shopguide.runs.environment import PACKAGES, git_state, installed_version
from shopguide.runs.store import Store

SAME = 1e-9
"""Metrics that differ by no more are the same."""
UNCHANGED = "commit, versions and data are those of then"


@dataclass(frozen=True)
class Reproduced:
    """An experiment beside its repetition."""

    run_id: str
    metrics: dict[str, tuple[float, float]]
    """Metric → then and now; those that both have."""

    @property
    def different(self) -> dict[str, tuple[float, float]]:
        """The metrics that came out otherwise."""
        return {name: pair for name, pair in self.metrics.items() if not _same(*pair)}


def _same(then: float, now: float) -> bool:
    return (math.isnan(then) and math.isnan(now)) or abs(then - now) <= SAME


def kept_settings(store: Store, run_id: str, tracking: TrackingConfig) -> Config:
    """The settings that an experiment was run with, to be run again into a store.

    Raises:
        RunError: this version no longer takes them.
    """
    file = store.artifact_folder(run_id, "config.json")
    settings: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    try:
        config = parse_config(settings)
    except ConfigError as error:
        raise RunError(f"run={run_id}: this version no longer takes its settings: {error}") from error
    return dataclasses.replace(config, tracking=tracking)


def changes(run: MlflowRun, config: Config) -> Iterator[str]:
    """What is otherwise than when the run was made: commit, versions of packages, data; a line each."""
    tags = run.data.tags
    now = git_state()
    if (made := tags.get("git.commit")) != (here := now.get("git.commit")):
        yield f"commit: {made or 'unknown'} then, {here or 'unknown'} now"
    for told, when in ((tags, "then"), (now, "now")):
        if told.get("git.dirty") == "true":
            yield f"commit: files differed from it {when}" if when == "then" else "commit: files differ from it now"
    for name in PACKAGES:
        before, here = tags.get(f"version.{name}"), installed_version(name)
        if before != here:
            yield f"{name}: {before or 'none'} then, {here or 'none'} now"
    fingerprint = load_material(config.data).shop.fingerprint
    if (before := tags.get("fingerprint.data")) != fingerprint:
        yield f"data: fingerprint {before} then, {fingerprint} now"


def reproduce(store: Store, run_id: str, config: Config) -> Reproduced:
    """Run the experiment again, as a run of its own, and hold its metrics against those of then.

    Args:
        store: of the run.
        run_id: the experiment's.
        config: as `kept_settings` gives them.
    """
    then: Mapping[str, float] = store.client.get_run(run_id).data.metrics
    made = run_experiment(config)
    store.client.set_tag(made.run_id, "shopguide.reproduces", run_id)
    now = store.client.get_run(made.run_id).data.metrics
    return Reproduced(made.run_id, {name: (then[name], now[name]) for name in sorted(then) if name in now})
