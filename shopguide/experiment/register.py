"""A task's model under a name of its own, with a card."""

from dataclasses import dataclass

from shopguide.experiment.model_card import model_card
from shopguide.inference.card import read_card
from shopguide.runs.registry import EXPERIMENT, TASK, TASK_RUN, register
from shopguide.runs.store import Store

CARD = "model_card.md"


@dataclass(frozen=True)
class Named:
    """A registered model."""

    name: str
    version: str
    run: str
    """The experiment's."""
    card: str
    """Markdown."""


def register_model(store: Store, run: str, task: str | None, name: str | None, alias: str) -> Named:
    """Register the model of an experiment's task, and write its card to the task's run.

    Args:
        store: of the runs.
        run: the experiment's run, as it was typed.
        task: one of its tasks; None where it has one.
        name: of the registered model; None: `shopguide-<task>`.
        alias: that stands for it from now on.

    Raises:
        RunError: there is no such run or task, or the experiment has several.
    """
    folder, experiment = store.task_model(run, task), store.resolve(run)
    ((own, phase_run),) = store.task_runs(run, task).items()
    phase, called = store.client.get_run(phase_run), name or f"shopguide-{own}"
    text = model_card(called, read_card(folder, own), store.client.get_run(experiment), phase)
    holder = store.client.get_run(store.model_run(phase_run))
    tags = {EXPERIMENT: experiment, TASK: own, TASK_RUN: phase_run}
    source = f"{holder.info.artifact_uri}/model"
    version = register(store.client, called, alias, source, holder.info.run_id, tags, text)
    store.client.log_text(phase_run, text, CARD)
    return Named(called, version, experiment, text)
