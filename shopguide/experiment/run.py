"""One experiment: its records read and checked, then its phases below one tracked run."""

import contextlib
import gc
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shopguide.build import build_task
from shopguide.config import Config
from shopguide.errors import DataError, Pruned, RunError
from shopguide.experiment.fitting import check_counted, check_loss, ranks
from shopguide.experiment.identities import experiment_identity, settings_of
from shopguide.experiment.leaks import Leaks, guard, leak_metrics
from shopguide.experiment.prepare import Material, load_material, load_or_train_tokenizer
from shopguide.machine import imported_at_once
from shopguide.records.schema import TABLES
from shopguide.runs.identity import IDENTITY, alone
from shopguide.tasks.task import OTHERS, Examples, Task

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun

    from shopguide.experiment.pruning import Trial
    from shopguide.runs.store import Store


FEW = 30
"""Dev examples by which an epoch is chosen as by lot."""


@dataclass(frozen=True)
class Outcome:
    """What an experiment came to."""

    run_id: str
    score: float
    """Mean over the tasks of the dev metric that epochs are chosen by; without tasks, minus the dev loss."""
    metrics: dict[str, float]


@dataclass(frozen=True)
class Job:
    """An experiment's place in a sweep."""

    sweep: str
    """Id of the sweep's run."""
    label: str
    """What tells this job from its siblings."""
    refit: bool = False
    """Whether it trains what the others chose."""
    trial: "Trial | None" = None
    """Of a search, which may give the job up."""


def run_experiment(config: Config, job: Job | None = None) -> Outcome:
    """Run all phases, print the closing table and the run's id.

    A job of a sweep that was done before is not done again; one that was cut goes on.

    Args:
        config: checked settings.
        job: where the experiment is one of a sweep.

    Raises:
        ShopguideError: a mistake that the user can mend.
        KeyboardInterrupt: stopped; the runs are marked KILLED, the last checkpoint is kept.
    """
    if job is not None:
        return _run_job(config, job)
    resumed = open_named(config).resolve(config.resume, "resume") if config.resume else None
    return _run(config, load_material(config.data), None, resumed)  # a wrong id is told before anything is read


def _run_job(config: Config, job: Job) -> Outcome:
    material = load_material(config.data)
    own = experiment_identity(config, material.shop.fingerprint)
    searched = job.trial is not None  # which may propose what another of its jobs is doing
    with alone(config.tracking.root, f"job-{own}", wait=searched) as held:
        if not held:
            raise RunError(f"job {job.label}: another process is doing it")
        done = open_named(config).find_done(own, parent=job.sweep)
        if done is not None and (known := _done_before(done, job)):
            return known
        try:
            outcome = _run(config, material, job, done.info.run_id if done is not None else None)
        except Pruned:
            keep_to_disk(config, job.sweep)
            raise
        finally:
            gc.collect()  # in one process, a sweep would gather the networks of all its jobs
    keep_to_disk(config, job.sweep)
    return outcome


def _done_before(done: "MlflowRun", job: Job) -> Outcome | None:
    """What a job's run came to, if it is finished.

    Raises:
        Pruned: its search gave it up.
    """
    from shopguide.runs.store import PRUNED

    run_id, tags = done.info.run_id, done.data.tags
    if PRUNED in tags and job.trial is not None:
        raise Pruned(f"{tags[PRUNED]} (before, run {run_id})")
    if done.info.status != "FINISHED":
        return None
    metrics = dict(done.data.metrics)
    print(f"job {job.label}: done before, run {run_id}{_other_code(tags)}", flush=True)
    return Outcome(run_id, metrics["dev/score"], metrics)


def keep_to_disk(config: Config, sweep: str, best: str | None = None) -> None:
    """Keep a sweep to its budget of disk; where files cannot be removed, it says so, and nothing is the worse for it.

    Args:
        config: of any of its jobs.
        sweep: id of its run.
        best: id of the job that keeps its models; None: the best by the metric, and over folds, where that is not what
            is chosen, all.
    """
    if not config.sweep.disk_gb:
        return
    from mlflow.exceptions import MlflowException

    from shopguide.experiment.disk import keep_within

    store, root, models = open_named(config), Path(config.tracking.root), best is not None or config.cv.folds is None
    try:
        keep_within(store, sweep, config.sort_by, root, config.sweep.disk_gb, best, models)
    except (OSError, MlflowException) as error:
        print(f"sweep.disk_gb: not kept to: {error}", file=sys.stderr, flush=True)


def _other_code(tags: Mapping[str, str]) -> str:
    from shopguide.runs.environment import git_state

    made, now = (known.get("git.commit", "") for known in (tags, git_state()))
    if not made or not now or made == now:
        return ""
    return f", by the code of commit {made[:8]}, now {now[:8]} (sweep.fresh=true does it again)"


def _run(config: Config, material: Material, job: Job | None, resumed: str | None) -> Outcome:
    log_line(material)
    labelled = _labelled(config, material)
    leaks = guard(config, material, labelled)
    return _run_tracked(config, material, labelled, leaks, job, resumed)


def _labelled(config: Config, material: Material) -> list[tuple[Task, Examples]]:
    """Each task's labelled examples, enough to train on; none where no phase needs them."""
    if "finetune" not in config.phases:
        return []
    found = list[tuple[Task, Examples]]()
    for task in (build_task(name, options) for name, options in config.tasks.items()):
        try:
            found.append((task, task.checked_examples(material.shop, material.parts, material.truth)))
        except DataError as error:
            if config.on_missing_labels == "stop":
                raise
            print(f"left out: {str(error).removesuffix(OTHERS)}", flush=True)
    if not found:
        raise DataError(f"data {material.data.name}: expected labels of one of the tasks {', '.join(config.tasks)}")
    check_loss(config.finetune, found)
    check_counted(found)
    for task, examples in found:
        print(f"task {task.name}: {_sizes(examples, config.finetune.max_examples)}", flush=True)
    return found


def _sizes(examples: Examples, most: int | None) -> str:
    count = {split: examples.split.count(split) for split in ("train", "dev", "test")}
    told = ", ".join(f"{number:,} {split}" for split, number in count.items())
    if most is not None and most < count["train"]:
        told = f"{most:,} of {told}"
    few = f"; {count['dev']} are few to choose an epoch by: finetune.monitor=null keeps the last"
    return told + (few if 0 < count["dev"] < FEW else "")


def _run_tracked(
    config: Config,
    material: Material,
    labelled: list[tuple[Task, Examples]],
    leaks: Leaks,
    job: Job | None,
    resumed: str | None,
) -> Outcome:
    """The tracked part: torch is imported here, seconds after a fault of the records would be told."""
    begin_to_open(config)
    with imported_at_once():
        from shopguide.experiment.closing import closing_table
        from shopguide.experiment.finetune import monitored
        from shopguide.experiment.phases import Stage, flat, run_phases
        from shopguide.experiment.ranks import processes
        from shopguide.experiment.report import log_material, next_commands
        from shopguide.runs.costs import experiment_costs
        from shopguide.runs.environment import log_environment
        from shopguide.runs.store import REFIT
        from shopguide.runs.tree import open_run
    processes(config.trainer)
    for task, examples in labelled:
        monitored(config.finetune, task, not config.finetune.shared and ranks(task, examples))
    store, plain = open_named(config), settings_of(config)
    tags = {"shopguide.kind": "experiment", IDENTITY: experiment_identity(config, material.shop.fingerprint)}
    if job and job.refit:
        tags[REFIT] = "true"
    name, parent = (f"{config.name} {job.label}".strip(), job.sweep) if job else (config.name, None)
    with open_run(store, name, parent=parent, tags=tags, resume=resumed) as run:
        run.log_params(flat(plain))
        same = "the same command" if job else f"the same command with resume={run.id}"
        print(f"run {run.id}: Ctrl-C keeps what is learnt, {same} goes on", flush=True)
        log_environment(run, plain, {"data": material.shop.fingerprint}, config.seed)
        log_material(run, material)
        run.log_metrics(leak_metrics(leaks))
        tokenizer = load_or_train_tokenizer(config.model, material, config.pretrain.fields)
        try:
            trial = job.trial if job and config.sweep.prune else None
            sweep = store.parent(run.id) if resumed else parent
            stage = Stage(config, material, store, run, tokenizer, config.model, sweep, trial)
            metrics = run_phases(stage, labelled)
        except KeyboardInterrupt:
            print(f"interrupted: {same} goes on", flush=True)
            raise
        run.log_metrics(metrics | experiment_costs(store.find_phases(run.id)))
    closing_table(store, run.id)
    next_commands(config, store, run.id, labelled)
    print(f"run_id={run.id}", flush=True)
    return Outcome(run.id, metrics["dev/score"], metrics)


def open_named(config: Config) -> "Store":
    """The store that the settings name."""
    from shopguide.runs.store import open_store

    return open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root))


def begin_to_open(config: Config) -> None:
    """Have the store opened meanwhile, where a process of its own does that; `open_named` tells if it cannot be."""
    from shopguide.runs.apart import open_ahead
    from shopguide.runs.store import tracking_uri

    with contextlib.suppress(OSError):
        open_ahead(tracking_uri(config.tracking.uri, Path(config.tracking.root)))


def log_line(material: Material) -> None:
    """Print what was read, and what was not taken in."""
    shop = material.shop
    rows = ", ".join(f"{len(getattr(shop, t)):,} {t}" for t in TABLES if len(getattr(shop, t)))
    print(f"data {material.data.name}: {rows}; fingerprint {shop.fingerprint}", flush=True)
    if shop.report.quarantined:
        print(f"  {shop.report.quarantined:,} bad rows set aside in {shop.report.quarantine}", flush=True)
    if ignored := ", ".join(f"{name} ({count:,} rows)" for name, count in shop.report.ignored.items()):
        print(f"  fields that are not used: {ignored}", flush=True)
