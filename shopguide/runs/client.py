"""MLflow's client as shopguide opens it: safe among processes that open an embedded store at once, and with
what a run writes given in plain values, which go to a process of its own (`runs.apart`) as they are.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

Point = tuple[str, float, int, int]
"""Of a curve: its name, the value, when in milliseconds since 1970, the step."""
PARAMS_A_CALL = 100
MODEL_TRAINING = {"mlflow.experimentKind": "custom_model_development"}
"""The MLflow UI then opens with runs and their charts."""


class Client(MlflowClient):
    """A client of one tracking store.

    Args:
        uri: of the store.
        create: whether tables may be made in an embedded store that has none.
    """

    def __init__(self, uri: str, create: bool) -> None:
        with _with_tables(uri) if create else nullcontext():
            super().__init__(uri)

    def ready(self) -> None:
        """Nothing: when it is called, the store is open."""

    def experiment(self, name: str, location: str | None) -> str:
        """Id of an MLflow experiment, which is made if it is new, with its artifacts at a location of its own."""
        found = self.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        try:
            return str(self.create_experiment(name, artifact_location=location, tags=MODEL_TRAINING))
        except MlflowException:
            found = self.get_experiment_by_name(name)  # another process may have been quicker
            if found is None:
                raise
            return str(found.experiment_id)

    def log_points(self, run_id: str, points: Sequence[Point]) -> None:
        """Write points of a run's curves, in one call."""
        self.log_batch(run_id, metrics=[Metric(*point) for point in points])

    def log_params(self, run_id: str, params: Mapping[str, str]) -> None:
        """Write settings of a run."""
        new = [Param(*param) for param in params.items()]
        for start in range(0, len(new), PARAMS_A_CALL):
            self.log_batch(run_id, params=new[start : start + PARAMS_A_CALL])

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        """Write tags of a run, in one call."""
        self.log_batch(run_id, tags=[RunTag(*tag) for tag in tags.items()])


@contextmanager
def _with_tables(uri: str) -> Iterator[None]:
    """Of several processes that open an embedded store, one at a time may make its tables, and all of them at once.

    Killed among MLflow's migrations, it would leave a store that MLflow never opens again.
    """
    if not uri.startswith("sqlite:///"):
        yield
        return
    path = Path(uri.removeprefix("sqlite:///"))
    with FileLock(f"{path}.lock"):
        if not path.exists():
            from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

            draft = path.with_suffix(".draft")
            for rest in (draft, path.with_suffix(".draft-journal")):
                rest.unlink(missing_ok=True)
            SqlAlchemyStore(f"sqlite:///{draft}", str(path.parent)).engine.dispose()
            os.replace(draft, path)
        yield
