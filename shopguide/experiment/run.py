"""One experiment: its records read and checked, then its phases below one tracked run."""

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from shopguide.build import build_task
from shopguide.config import Config
from shopguide.experiment.fitting import check_counted, check_loss, ranks
from shopguide.experiment.leaks import Leaks, guard, leak_metrics
from shopguide.experiment.prepare import Material, load_material, load_or_train_tokenizer
from shopguide.records.schema import TABLES
from shopguide.tasks.task import Examples, Task

if TYPE_CHECKING:
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


def run_experiment(config: Config, parent: str | None = None, label: str | None = None) -> Outcome:
    """Run all phases, print the closing table and the run's id.

    Args:
        config: checked settings.
        parent: id of the sweep's run, if the experiment is a job of one.
        label: what tells this job from its siblings.

    Raises:
        ShopguideError: a mistake that the user can mend.
        KeyboardInterrupt: stopped; the runs are marked KILLED, the last checkpoint is kept.
    """
    if config.resume:
        _store(config).resolve(config.resume, "resume")  # a wrong id is told before anything is read
    material = load_material(config.data)
    log_line(material)
    labelled = _labelled(config, material)
    leaks = guard(config, material, labelled)
    return _run_tracked(config, material, labelled, leaks, parent, label)


def _labelled(config: Config, material: Material) -> list[tuple[Task, Examples]]:
    """Each task's labelled examples, enough to train on; none where no phase needs them."""
    if "finetune" not in config.phases:
        return []
    tasks = [build_task(name, options) for name, options in config.tasks.items()]
    found = [(task, task.checked_examples(material.shop, material.parts, material.truth)) for task in tasks]
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
    parent: str | None,
    label: str | None,
) -> Outcome:
    """The tracked part: torch and MLflow are imported here, seconds after a fault of the records would be told."""
    from shopguide.experiment.closing import closing_table
    from shopguide.experiment.finetune import monitored
    from shopguide.experiment.phases import Stage, flat, run_phases
    from shopguide.experiment.report import log_material, next_commands
    from shopguide.runs.environment import log_environment
    from shopguide.runs.tree import open_run

    for task, examples in labelled:
        monitored(config.finetune, task, not config.finetune.shared and ranks(task, examples))
    store = _store(config)
    resumed = store.resolve(config.resume) if config.resume else None
    name = f"{config.name} {label}" if label else config.name
    with open_run(store, name, parent=parent, tags={"shopguide.kind": "experiment"}, resume=resumed) as run:
        plain = asdict(replace(config, resume=None))
        run.log_params(flat(plain))
        print(f"run {run.id}: Ctrl-C keeps what is learnt, the same command with resume={run.id} goes on", flush=True)
        log_environment(run, plain, {"data": material.shop.fingerprint}, config.seed)
        log_material(run, material)
        run.log_metrics(leak_metrics(leaks))
        tokenizer = load_or_train_tokenizer(config.model, material, config.pretrain.fields)
        try:
            metrics = run_phases(Stage(config, material, store, run, tokenizer, config.model), labelled)
        except KeyboardInterrupt:
            print(f"interrupted: the same command with resume={run.id} goes on from the last epoch", flush=True)
            raise
        run.log_metrics(metrics)
    closing_table(store, run.id)
    next_commands(config, store, run.id, labelled)
    print(f"run_id={run.id}", flush=True)
    return Outcome(run.id, metrics["dev/score"], metrics)


def _store(config: Config) -> "Store":
    from shopguide.runs.store import open_store

    return open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root))


def log_line(material: Material) -> None:
    """Print what was read, and what was not taken in."""
    shop = material.shop
    rows = ", ".join(f"{len(getattr(shop, t)):,} {t}" for t in TABLES if len(getattr(shop, t)))
    print(f"data {material.data.name}: {rows}; fingerprint {shop.fingerprint}", flush=True)
    if shop.report.quarantined:
        print(f"  {shop.report.quarantined:,} bad rows set aside in {shop.report.quarantine}", flush=True)
    if ignored := ", ".join(f"{name} ({count:,} rows)" for name, count in shop.report.ignored.items()):
        print(f"  fields that are not used: {ignored}", flush=True)
