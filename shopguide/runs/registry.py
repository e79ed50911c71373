"""Models under a name of their own in MLflow's registry: `models:/shopguide-need@champion`."""

from typing import TYPE_CHECKING, Any

from shopguide.errors import RunError

if TYPE_CHECKING:
    from mlflow import MlflowClient

PREFIX = "models:/"
DESCRIPTION = 5000
"""Characters that the registry takes."""
EXPERIMENT, TASK, TASK_RUN = "shopguide.experiment_run", "shopguide.task", "shopguide.task_run"
"""Tags of a version: the runs that it is of, and its task."""


def register(
    client: "MlflowClient", name: str, alias: str, source: str, holder: str, tags: dict[str, str], card: str
) -> str:
    """Have a name and an alias stand for a task's model; its version.

    A model that has the name already keeps its version.

    Args:
        client: of the store.
        name: of the registered model.
        alias: which of its versions: `champion`.
        source: where the model's files are.
        holder: id of the run that holds them.
        tags: `EXPERIMENT`, `TASK` and `TASK_RUN`.
        card: text that describes it.

    Raises:
        RunError: the registry refuses.
    """
    from mlflow.exceptions import MlflowException

    try:
        if not client.search_registered_models(f"name = '{name}'"):
            client.create_registered_model(name)
        found = [v for v in client.search_model_versions(f"name = '{name}'") if v.tags.get(TASK_RUN) == tags[TASK_RUN]]
        version = found[0] if found else client.create_model_version(name, source, holder, tags=tags)
        client.update_model_version(name, version.version, description=card[:DESCRIPTION])
        client.set_registered_model_alias(name, alias, version.version)
    except MlflowException as error:
        raise RunError(f"name={name} alias={alias}: the registry does not take the model ({error})") from error
    return str(version.version)


def registered(client: "MlflowClient", place: str) -> dict[str, str]:
    """Tags of what `models:/<name>@<alias>` or `models:/<name>/<version>` stands for.

    Raises:
        RunError: there is no such model, or it was not registered by shopguide.
    """
    from mlflow.exceptions import MlflowException

    name, at, alias = place.removeprefix(PREFIX).partition("@")
    try:
        if at:
            version: Any = client.get_model_version_by_alias(name, alias)
        else:
            name, _, number = name.partition("/")
            version = client.get_model_version(name, number)
    except MlflowException as error:
        known = sorted(model.name for model in client.search_registered_models())
        raise RunError(
            f"run={place}: expected models:/<name>@<alias> or models:/<name>/<version> of a registered model "
            f"({', '.join(known) or 'there is none: shopguide.register makes one'}); {error}"
        ) from error
    if EXPERIMENT not in version.tags:
        raise RunError(f"run={place}: expected a model that shopguide.register has registered, found another")
    return dict(version.tags)
