"""Whether the settings fit the tasks, told before anything is learnt."""

from collections.abc import Sequence

from shopguide.build import build_loss
from shopguide.config import FinetuneConfig
from shopguide.errors import ConfigError
from shopguide.tasks.labels import gains_of, label_spaces
from shopguide.tasks.task import Examples, Task


def check_loss(config: FinetuneConfig, labelled: Sequence[tuple[Task, Examples]]) -> None:
    """Tell of a loss of grades, or of lists, for tasks that have none.

    Raises:
        ConfigError: a task has no grades in an order, or no lists, or shares its network.
    """
    loss = build_loss(config.loss)
    if not loss.graded:
        return
    name = f"loss={str(config.loss['target']).rpartition('.')[2].lower()}"
    for task, examples in labelled:
        spaces = label_spaces(examples.of("train"))
        if gains_of(task, spaces) is None:
            graded = [label for labels in spaces.values() for label in labels] if examples.lists is not None else []
            cure = f"say what each is worth: tasks.{task.name}.gains={{{', '.join(f'{g}: …' for g in graded)}}}"
            raise ConfigError(
                f"{name}: expected grades in an order, found {', '.join(graded) or 'none'} in task `{task.name}`; "
                + (cure if graded else "it goes with tasks=[relevance]")
            )
        if loss.listed and (examples.lists is None or config.shared):
            found = "finetune.shared=true" if config.shared else f"none in task `{task.name}`"
            raise ConfigError(f"{name}: expected lists of products that one task ranks, found {found}")


def check_counted(labelled: Sequence[tuple[Task, Examples]]) -> None:
    """Tell of a positive label that no training example has.

    Raises:
        ConfigError: as said.
    """
    for task, examples in labelled:
        classes = [name for names in label_spaces(examples.of("train")).values() for name in names]
        if task.counted is not None and task.counted not in classes:
            raise ConfigError(
                f"tasks.{task.name}.positive={task.counted}: expected one of the labels, which are {', '.join(classes)}"
            )


def ranks(task: Task, examples: Examples) -> bool:
    """Whether the task's classes are grades, by which the products of a list are ranked."""
    return examples.lists is not None and gains_of(task, label_spaces(examples.of("train"))) is not None
