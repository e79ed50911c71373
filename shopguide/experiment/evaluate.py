"""Score the task models of a finished experiment on any records, and log the scores to their runs."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from shopguide.build import build_task
from shopguide.checks import parse
from shopguide.config import DataConfig, InferencePrecision
from shopguide.errors import DataError, ModelError
from shopguide.experiment.finetune import drawn
from shopguide.experiment.heads.head import head_of
from shopguide.experiment.prepare import Material, load_material
from shopguide.experiment.report import flat_scores
from shopguide.inference.card import RETRIEVAL, Card, read_card
from shopguide.inference.evaluation import Scores
from shopguide.inference.load import load_model
from shopguide.inference.second_stage import SecondStage
from shopguide.runs.store import Store, model_place
from shopguide.runs.tree import open_run
from shopguide.tasks.task import Examples, Task

TEXTS = 512
"""Of the dev split, where some are enough."""


def evaluate_run(
    store: Store,
    run: str,
    task: str | None,
    data: DataConfig | None,
    split: str,
    batch_tokens: int,
    folder: Path | None = None,
    precision: InferencePrecision = "auto",
    rerank: str | None = None,
) -> dict[str, Any]:
    """Score the experiment's models on one split of a shop's records.

    Args:
        store: where the runs are.
        run: the experiment's run.
        task: one of its tasks; None: each one that the records have labels for.
        data: the records; None: those that the run was trained on.
        split: train, dev, test, or all rows that are found.
        batch_tokens: tokens a model sees at once.
        folder: of an exported model of the task, scored in place of the run's own; its name ends the metrics' names.
        precision: of a model in torch.
        rerank: a task of the run that grades pairs, or the folder of such a model: it orders anew what is found.

    Returns:
        Task → metrics, each `{"value", "low", "high"}` (bounds where a bootstrap interval is known), and `examples`.

    Raises:
        DataError: the records have no labelled example of that split.
        ModelError: the exported model is of another task, or nothing is there to be ordered anew.
        RunError: there is no such run or task.
    """
    runs = store.task_runs(run, task)
    settings = store.settings(next(iter(runs.values())))
    data = data or parse(DataConfig, settings["data"])
    material = load_material(data)
    place = f"evaluate/{data.name}/{split}" + (f"/{folder.name}" if folder else "")
    place += f"/reranked_by_{Path(rerank).name}" if rerank else ""
    if rerank and task is None:
        runs = {name: own for name, own in runs.items() if _finds(store.task_model(run, name), name)} or runs
    second = _second_stage(store, run, rerank, precision)
    found: dict[str, Any] = {}
    there: set[str] = set()
    for name, phase_run in runs.items():
        predictor = _loaded(folder or store.task_model(run, name), precision, name)
        if second is not None:
            _put_behind(predictor, second)
        every = _examples(build_task(name, settings["tasks"][name]), predictor.card, material)
        examples = every.of(split)
        if not len(examples):
            there |= set(every.split)
            continue
        _tell_unknown(predictor.card, examples)
        head = head_of(predictor.card.kind)
        scores = head.score(predictor.card, examples, head.answered(predictor, examples, batch_tokens))
        with open_run(store, name, resume=phase_run) as tracked:
            tracked.log_metrics(flat_scores(scores, place))
        found[name] = _plain(scores)
    if not found:
        raise _no_examples(f"split={split}", runs, data.name, there)
    return found


def dev_texts(store: Store, run: str, task: str | None, model: Path) -> tuple[list[str], list[str] | None]:
    """Some texts of a task, or pairs of texts, from the run's own records, which its model has not learnt from.

    Args:
        store: where the runs are.
        run: the experiment's run.
        task: one of its tasks.
        model: folder of the task's model.

    Raises:
        DataError: the records have none in the dev split.
    """
    ((name, phase_run),) = store.task_runs(run, task).items()
    settings, card = store.settings(phase_run), read_card(model, name)
    data = parse(DataConfig, settings["data"])
    every = _examples(build_task(name, settings["tasks"][name]), card, load_material(data))
    dev = drawn(every.of("dev"), TEXTS, seed=0)
    if not len(dev):
        raise _no_examples("int8=checked: dev", [name], data.name, set(every.split))
    return list(dev.first), None if dev.second is None else list(dev.second)


def _finds(folder: Path, task: str) -> bool:
    return read_card(folder, task).kind == RETRIEVAL


def _loaded(folder: Path, precision: InferencePrecision, task: str) -> Any:
    predictor = load_model(folder, precision, task)
    if predictor.card.task != task:
        raise ModelError(f"folder={folder}: expected a model of task `{task}`, found one of `{predictor.card.task}`")
    return predictor


def _second_stage(store: Store, run: str, rerank: str | None, precision: InferencePrecision) -> SecondStage | None:
    if rerank is None:
        return None
    folder, task = model_place(rerank, lambda: store, run)
    return SecondStage(load_model(folder, precision, task))


def _put_behind(predictor: Any, second: SecondStage) -> None:
    if predictor.card.kind != RETRIEVAL:
        raise ModelError(f"rerank: task `{predictor.card.task}` finds no products; name one that does with task=…")
    second.check_asked(predictor.card)
    predictor.second_stage = second


def _no_examples(split: str, tasks: Iterable[str], data: str, there: Iterable[str]) -> DataError:
    others = f"there are some in {', '.join(sorted(there))} (split=all: all)" if there else "nor in another"
    return DataError(f"{split}: found no labelled example of {', '.join(tasks)} in that split of data={data}, {others}")


def _examples(task: Task, card: Card, material: Material) -> Examples:
    """The task's examples with the targets that the model was trained for; nothing is scored on products that were
    only made up to be learnt from.
    """
    if hasattr(task, "targets"):
        task.targets = tuple(card.targets)
    if hasattr(task, "hard"):
        task.hard = 0
    return task.examples(material.shop, material.parts, material.truth)


def _tell_unknown(card: Card, examples: Examples) -> None:
    """Say which labels of the examples the model does not know: of those it is never right."""
    for target, classes in card.targets.items():
        said = examples.said(target)
        known = set(classes)
        unknown = [label for label in said if label not in known]
        if not unknown:
            continue
        print(
            f"task `{card.task}`, {target}: {len(unknown):,} of {len(said):,} labels ({_few(sorted(set(unknown)))}) "
            f"are unknown to the model, which knows {_few(classes)}; they count as wrong",
            file=sys.stderr,
        )


def _few(names: Sequence[str]) -> str:
    """The first ones."""
    return ", ".join(names[:3]) + (", …" if len(names) > 3 else "")


def _plain(scores: Scores) -> dict[str, Any]:
    metrics: dict[str, Any] = {"examples": scores.count}
    for name, value in scores.metrics.items():
        bounds = scores.intervals.get(name)
        metrics[name] = {"value": value} | ({"low": bounds[0], "high": bounds[1]} if bounds else {})
    return metrics
