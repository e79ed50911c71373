"""One experiment: its phases one after the other, each a tracked run below the experiment's run.

A phase that is finished is not done again: a resumed experiment takes its model and numbers from its run.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from shopguide.config import Config, ModelConfig, build_task
from shopguide.experiment.finetune import finetune
from shopguide.experiment.fit import LOWER_IS_BETTER, Place
from shopguide.experiment.prepare import Material, load_material, load_or_train_tokenizer
from shopguide.experiment.pretrain import pretrain
from shopguide.experiment.report import SHOWN, closing_table, log_finetuned, log_material, log_pretrained, next_commands
from shopguide.runs.environment import log_environment
from shopguide.runs.logger import RunLogger
from shopguide.runs.store import Store, open_store
from shopguide.runs.tree import Run, open_run
from shopguide.tasks.task import Examples, Task


@dataclass(frozen=True)
class Outcome:
    """What an experiment came to."""

    run_id: str
    score: float
    """Mean over the tasks of the dev metric that epochs are chosen by; without tasks, minus the dev loss."""
    metrics: dict[str, float]


@dataclass
class _Stage:
    """What the phases share."""

    config: Config
    material: Material
    store: Store
    run: Run
    tokenizer: Any
    model: ModelConfig
    """What the next phase starts from."""


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
    material = load_material(config.data)
    log_line(material)
    tasks = [build_task(name, options) for name, options in config.tasks.items()]
    finetuning = "finetune" in config.phases
    examples = {t.name: t.checked_examples(material.shop, material.parts, material.truth) for t in tasks if finetuning}
    store = open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root))
    resumed = store.resolve(config.resume) if config.resume else None
    name = f"{config.name} {label}" if label else config.name
    with open_run(store, name, parent=parent, tags={"shopguide.kind": "experiment"}, resume=resumed) as run:
        plain = asdict(replace(config, resume=None))
        run.log_params(flat(plain))
        log_environment(run, plain, {"data": material.shop.fingerprint}, config.seed)
        log_material(run, material)
        tokenizer = load_or_train_tokenizer(config.model, material, config.pretrain.fields)
        stage = _Stage(config, material, store, run, tokenizer, config.model)
        metrics = _phases(stage, tasks, examples)
        run.log_metrics(metrics)
    closing_table(store, run.id)
    next_commands(config, store, run.id)
    print(f"run_id={run.id}", flush=True)
    return Outcome(run.id, metrics["dev/score"], metrics)


def _phases(stage: _Stage, tasks: list[Task], examples: dict[str, Examples]) -> dict[str, float]:
    """Run the phases; the metrics of the experiment's own run."""
    metrics: dict[str, float] = {}
    if "pretrain" in stage.config.phases:
        found = _pretrain(stage)
        kept = ("dev/loss", "dev/perplexity")
        metrics |= {f"pretrain/{name}": found[f"kept/{name}"] for name in kept if f"kept/{name}" in found}
        metrics["dev/score"] = -metrics.get("pretrain/dev/loss", float("nan"))
    if "finetune" in stage.config.phases:
        scores = []
        monitor = stage.config.finetune.monitor or "dev/macro_f1"
        for task in tasks:
            found = _finetune(stage, task, examples[task.name])
            split = "test" if "test/macro_f1" in found else "dev_final"
            metrics |= {f"{task.name}/{name}": found[f"{split}/{name}"] for name in SHOWN}
            scores.append(found.get(f"kept/{monitor}", float("nan")) * (-1 if monitor in LOWER_IS_BETTER else 1))
        metrics["dev/score"] = sum(scores) / len(scores)
        metrics["test/score"] = sum(metrics[f"{task.name}/macro_f1"] for task in tasks) / len(tasks)
    return metrics


def _pretrain(stage: _Stage) -> dict[str, float]:
    """Run the phase, or take it from its finished run; afterwards the stage starts from its weights."""
    config = stage.config
    with _phase(stage, "pretrain") as (run, done):
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
        stage.model = replace(stage.model, path=str(stage.store.artifact_folder(run.id, "model")))
        return run.metrics()


def _finetune(stage: _Stage, task: Task, examples: Examples) -> dict[str, float]:
    config = stage.config
    name = f"finetune {task.name}"
    with _phase(stage, name) as (run, done):
        if not done:
            own = {"finetune": asdict(config.finetune), "optimizer": asdict(config.optimizer)}
            run.log_params(flat({**own, "task": task.name, "model": config.model.name}))
            result = finetune(
                task,
                examples,
                config.finetune,
                config.optimizer,
                stage.model,
                stage.tokenizer,
                _place(stage, run),
            )
            log_finetuned(run, result)
        return run.metrics()


@contextlib.contextmanager
def _phase(stage: _Stage, name: str) -> Iterator[tuple[Run, bool]]:
    """A phase's run below the experiment's, new or the one to finish; and whether it is finished already."""
    found = [c for c in stage.store.find_children(stage.run.id) if c.data.tags.get("shopguide.phase") == name]
    resume = found[0].info.run_id if found else None
    if found and found[0].info.status == "FINISHED":
        print(f"{name}: finished before, taken from run {resume}", flush=True)
        yield Run(stage.store, found[0].info.run_id), True
        return
    tags = {"shopguide.kind": "phase", "shopguide.phase": name}
    with open_run(stage.store, name, parent=stage.run.id, tags=tags, resume=resume) as run:
        yield run, False


def _place(stage: _Stage, run: Run) -> Place:
    tracking = stage.config.tracking
    folder = Path(tracking.root).absolute() / "checkpoints" / run.id
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


def log_line(material: Material) -> None:
    """One printed line: what was read."""
    shop = material.shop
    rows = ", ".join(
        f"{len(getattr(shop, t)):,} {t}"
        for t in ("products", "behaviours", "judgements", "dialogues")
        if len(getattr(shop, t))
    )
    print(f"data {material.data.name}: {rows}; fingerprint {shop.fingerprint}", flush=True)
