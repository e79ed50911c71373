"""The phases of an experiment, each a tracked run below the experiment's run.

A phase that is finished is not done again: a resumed experiment takes its model and numbers from its run.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shopguide.config import Config, ModelConfig
from shopguide.experiment.closing import told_metrics
from shopguide.experiment.finetune import Finetuned, finetune_together, monitored
from shopguide.experiment.fit import LOWER_IS_BETTER, Place
from shopguide.experiment.fitting import ranks
from shopguide.experiment.heads.head import head_of
from shopguide.experiment.identities import pretraining_identity
from shopguide.experiment.prepare import Material
from shopguide.experiment.pretrain import pretrain
from shopguide.experiment.pruning import PruneCallback, Trial
from shopguide.experiment.report import log_finetuned, log_pretrained, log_shared
from shopguide.runs.identity import IDENTITY, alone
from shopguide.runs.logger import RunLogger
from shopguide.runs.store import CHECKPOINTS, PRETRAIN_RUN, SWEEP_RUN, Store
from shopguide.runs.tree import Run, open_run
from shopguide.tasks.task import Examples, Task

if TYPE_CHECKING:
    from mlflow.entities import Run as MlflowRun


@dataclass
class Stage:
    """What the phases share."""

    config: Config
    material: Material
    store: Store
    run: Run
    tokenizer: Any
    model: ModelConfig
    """What the next phase starts from."""
    sweep: str | None = None
    """Id of the sweep's run, where the experiment is a job of one."""
    trial: Trial | None = None
    """Told after each epoch of fine-tuning what is reached; it may give the job up."""
    scores: list[float] = field(default_factory=list)
    """What the tasks so far reached on the dev split, by the metric that their epochs are chosen by; highest best."""


Labelled = list[tuple[Task, Examples]]
"""The tasks to fine-tune on, each with its examples."""


def run_phases(stage: Stage, labelled: Labelled) -> dict[str, float]:
    """Run the phases; the metrics of the experiment's own run."""
    metrics: dict[str, float] = {}
    if "pretrain" in stage.config.phases:
        found = _pretrain(stage)
        kept = ("dev/loss", "dev/perplexity")
        metrics |= {f"pretrain/{name}": found[f"kept/{name}"] for name in kept if f"kept/{name}" in found}
        metrics["dev/score"] = -metrics.get("pretrain/dev/loss", float("nan"))
    if "finetune" in stage.config.phases:
        test_scores = []
        shared = [pair for pair in labelled if pair[0].kind == "classification"] if stage.config.finetune.shared else []
        together = _finetune_shared(stage, shared) if len(shared) > 1 else {}
        for task, examples in labelled:
            shown = head_of(task.kind).shown
            alone = task.name not in together
            monitor = monitored(stage.config.finetune, task, alone and ranks(task, examples)) or f"dev/{shown[0]}"
            found = together.get(task.name) or _finetune(stage, task, examples)
            split = "test" if f"test/{shown[0]}" in found else "dev_final"
            own = [f"{name}{end}" for name in told_metrics(shown, split, found) for end in ("", ".low", ".high")]
            metrics |= {f"{task.name}/{name}": found[key] for name in own if (key := f"{split}/{name}") in found}
            stage.scores.append(found.get(f"kept/{monitor}", float("nan")) * (-1 if monitor in LOWER_IS_BETTER else 1))
            test_scores.append(metrics[f"{task.name}/{shown[0]}"])
        metrics["dev/score"] = sum(stage.scores) / len(stage.scores)
        metrics["test/score"] = sum(test_scores) / len(test_scores)
    return metrics


def _pretrain(stage: Stage) -> dict[str, float]:
    """Run the phase, or take it from its finished run; afterwards the stage starts from its weights."""
    config = stage.config
    with _pretraining(stage) as (run, done):
        if not done:
            run.log_params(flat({"pretrain": asdict(config.pretrain), "model": config.model.name}))
            result = pretrain(
                config.pretrain,
                config.optimizer,
                config.model,
                stage.tokenizer,
                stage.material,
                _place(stage, run),
            )
            log_pretrained(run, result)
        stage.run.set_tags({PRETRAIN_RUN: run.id})
        stage.model = replace(stage.model, path=str(stage.store.artifact_folder(run.id, "model")))
        return run.metrics()


def _finetune(stage: Stage, task: Task, examples: Examples) -> dict[str, float]:
    """Run the task's phase, or take it from its finished run."""
    with _phase(stage, f"finetune {task.name}") as (run, done):
        if not done:
            (result,) = _trained(stage, run, [(task, examples)])
            log_finetuned(run, result)
        return run.metrics()


def _finetune_shared(stage: Stage, labelled: Labelled) -> dict[str, dict[str, float]]:
    """One phase that trains the tasks' one network and holds it, and a run a task with its scores: task → metrics."""
    names = [task.name for task, _ in labelled]
    found = {}
    with _phase(stage, f"shared {'+'.join(names)}") as (shared, done):
        results = [] if done else _trained(stage, shared, labelled)
        if results:
            log_shared(shared, results)
        for place, name in enumerate(names):
            with _phase(stage, f"finetune {name}") as (run, _):
                if results:
                    log_finetuned(run, results[place], shared.id)
                found[name] = run.metrics()
    return found


def _trained(stage: Stage, run: Run, labelled: Labelled) -> list[Finetuned]:
    config = stage.config
    own = {"finetune": asdict(config.finetune), "optimizer": asdict(config.optimizer)}
    names = "+".join(task.name for task, _ in labelled)
    run.log_params(flat({**own, "task": names, "model": config.model.name}))
    epochs = config.finetune.epochs
    place = _place(stage, run)
    if stage.trial is not None:
        watched = PruneCallback(stage.trial, stage.scores, epochs, config.sweep.prune == "median")
        place = replace(place, callbacks=[watched])
    return finetune_together(labelled, config.finetune, config.optimizer, stage.model, stage.tokenizer, place)


@contextlib.contextmanager
def _phase(stage: Stage, name: str, tags: Mapping[str, str] | None = None) -> Iterator[tuple[Run, bool]]:
    """A phase's run below the experiment's, new or the one to finish; and whether it is finished already.

    One with an identity is looked for among all the jobs of the sweep.
    """
    found = _phase_run(stage, name, tags or {})
    resume = found.info.run_id if found else None
    if found is not None and found.info.status == "FINISHED":
        print(f"{name}: finished before, taken from run {resume}", flush=True)
        yield Run(stage.store, found.info.run_id), True
        return
    own = {"shopguide.kind": "phase", "shopguide.phase": name, **(tags or {})}
    with open_run(stage.store, name, parent=stage.run.id, tags=own, resume=resume) as run:
        yield run, False


@contextlib.contextmanager
def _pretraining(stage: Stage) -> Iterator[tuple[Run, bool]]:
    """As `_phase`: of the jobs of a sweep that share a pretraining, one does it, and the others wait for it."""
    own = pretraining_identity(stage.config, stage.material.shop.fingerprint)
    tags = {IDENTITY: own} | ({SWEEP_RUN: stage.sweep} if stage.sweep else {})
    name = f"pretrain-{stage.sweep or stage.run.id}-{own}"
    with alone(stage.config.tracking.root, name, wait=True), _phase(stage, "pretrain", tags) as found:
        yield found


def _phase_run(stage: Stage, name: str, tags: Mapping[str, str]) -> "MlflowRun | None":
    if stage.sweep is not None and IDENTITY in tags:
        return stage.store.find_done(tags[IDENTITY], sweep=stage.sweep)
    children = stage.store.find_children(stage.run.id)
    return next((child for child in children if child.data.tags.get("shopguide.phase") == name), None)


def _place(stage: Stage, run: Run) -> Place:
    tracking = stage.config.tracking
    folder = Path(tracking.root).absolute() / CHECKPOINTS / run.id
    return Place(folder, stage.config.seed, tracking.log_every, stage.config.trainer, RunLogger(run), resume=True)


def flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as dotted keys."""
    out: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            out |= flat(value, f"{prefix}{key}.")
        else:
            out[f"{prefix}{key}"] = value
    return out
