"""An experiment made again from what its run holds, and what came out otherwise."""

import dataclasses
import json
import math
import platform
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shopguide.checks import parse_config
from shopguide.config import Config, TrackingConfig
from shopguide.errors import ConfigError, RunError
from shopguide.experiment.prepare import load_material
from shopguide.experiment.run import run_experiment
from shopguide.runs.costs import PREFIX
from shopguide.runs.environment import ENVIRONMENT, git_state, installed
from shopguide.runs.secrets import MASK
from shopguide.runs.store import REPRODUCES, Store, was_given_up

SAME = 1e-9
"""Metrics that differ by no more are the same."""
UNCHANGED = "commit, Python, packages and data are those of then"


@dataclass(frozen=True)
class Reproduced:
    """An experiment beside its repetition."""

    run_id: str
    metrics: dict[str, tuple[float | None, float | None]]
    """Metric → then and now; None where it is not there."""

    @property
    def different(self) -> dict[str, tuple[float | None, float | None]]:
        """The metrics that came out otherwise."""
        return {name: pair for name, pair in self.metrics.items() if not _same(*pair)}


def _same(then: float | None, now: float | None) -> bool:
    if then is None or now is None:
        return False
    return (math.isnan(then) and math.isnan(now)) or abs(then - now) <= SAME


def kept_settings(store: Store, run_id: str, tracking: TrackingConfig, resume: str | None = None) -> Config:
    """The settings that an experiment was run with, to be run again.

    Args:
        store: of the run.
        run_id: the experiment's.
        tracking: where the repetition goes.
        resume: a repetition that was stopped.

    Raises:
        RunError: the run has not finished, a setting was a secret, or this version no longer takes them.
    """
    run = store.client.get_run(run_id)
    if run.info.status != "FINISHED":
        how = "its search gave up" if was_given_up(run) else f"is {run.info.status}"
        raise RunError(f"run={run_id}: expected a finished run, found one that {how}; resume={run_id} finishes it")
    text = store.artifact_folder(run_id, "config.json").read_text(encoding="utf-8")
    if f'"{MASK}' in text:
        raise RunError(f"run={run_id}: a setting was a secret, which is not kept; type the run's own command again")
    settings: dict[str, Any] = json.loads(text)
    try:
        config = parse_config(settings)
    except ConfigError as error:
        raise RunError(f"run={run_id}: this version no longer takes its settings: {error}") from error
    return dataclasses.replace(config, tracking=tracking, resume=resume)


def changes(store: Store, run_id: str, config: Config) -> Iterator[str]:
    """What is otherwise than when the run was made: commit, versions of Python and packages, data; a line each."""
    tags = store.client.get_run(run_id).data.tags
    installed_then = store.artifact_folder(run_id, ENVIRONMENT).read_text(encoding="utf-8").splitlines()
    now = git_state()
    if (made := tags.get("git.commit")) != (here := now.get("git.commit")):
        yield f"commit: {made or 'unknown'} then, {here or 'unknown'} now"
    for told, when in ((tags, "then"), (now, "now")):
        if told.get("git.dirty") == "true":
            yield f"commit: files differed from it {when}" if when == "then" else "commit: files differ from it now"
    if (before := tags.get("python")) != (here := platform.python_version()):
        yield f"python: {before} then, {here} now"
    was, is_now = (dict(line.split("==", 1) for line in lines) for lines in (installed_then, installed()))
    for name in sorted(was.keys() | is_now.keys()):
        if was.get(name) != is_now.get(name):
            yield f"{name}: {was.get(name, 'none')} then, {is_now.get(name, 'none')} now"
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
    store.client.set_tag(made.run_id, REPRODUCES, run_id)
    now = store.client.get_run(made.run_id).data.metrics
    names = sorted(name for name in then.keys() | now.keys() if not name.startswith(PREFIX))
    return Reproduced(made.run_id, {name: (then.get(name), now.get(name)) for name in names})
