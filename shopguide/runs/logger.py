"""Lightning's curves into a run, in batches."""

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from pytorch_lightning.loggers.logger import Logger
from pytorch_lightning.utilities import rank_zero_only

from shopguide.runs.tree import Run


class RunLogger(Logger):
    """Hands Lightning's metrics to a `Run`; settings are written once by the experiment, not here."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run

    @property
    def name(self) -> str:
        """Part of folder names, if any are made."""
        return "mlflow"

    @property
    def version(self) -> str:
        """The run's id."""
        return self.run.id

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Buffer the points of one step."""
        self.run.log_metrics(metrics, step or 0)

    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        """Nothing: the experiment has written them."""

    def save(self) -> None:
        """Write what is buffered."""
        self.run.flush()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Training is over, well or not."""
        self.run.flush()
