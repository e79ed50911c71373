"""A task model for MLflow: `mlflow models serve` and `predict` run this file ("models from code").

Input: one column a field of the record; of a model that serves several tasks, also `task`, which of them is asked.
Output: one object a row, as `shopguide.predict` writes it.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mlflow
import pandas
from mlflow.models import set_model
from mlflow.models.signature import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types.schema import ColSpec, DataType, Schema

from shopguide.errors import ModelError
from shopguide.inference.card import Card

FOLDER = "huggingface"
TASK = "task"


class TaskModel(PythonModel):
    """A task model behind MLflow's interface."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the Hugging Face folder that was logged with the model."""
        from shopguide.inference.load import load_models

        self.models = load_models(Path(context.artifacts[FOLDER]))

    def predict(
        self, context: PythonModelContext, model_input: pandas.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Answer a DataFrame, row by row; of several tasks, a record's number is that among those of its task.

        Raises:
            DataError: a row has none of the fields that the model reads.
            ModelError: the model serves several tasks, and a row says none of them.
        """
        records = model_input.astype(object).where(model_input.notna(), None).to_dict("records")
        if len(self.models) == 1:
            (model,) = self.models.values()
            return list(model.predict(records))
        tasks = [str(record.get(TASK)) for record in records]
        if unknown := sorted(set(tasks) - set(self.models)):
            raise ModelError(f"column `{TASK}`: expected one of {', '.join(self.models)}, found {unknown[0]}")
        answers = {
            task: model.predict([record for record, own in zip(records, tasks, strict=True) if own == task])
            for task, model in self.models.items()
        }
        return [next(answers[task]) for task in tasks]


def save_mlflow_model(folder: Path, task_model: Path, cards: Sequence[Card]) -> None:
    """Write an MLflow model around a folder that fine-tuning saved.

    Args:
        folder: to be made.
        task_model: Hugging Face folder.
        cards: of the tasks that it serves.
    """
    parts = [part for card in cards for part in (card.inputs.first, card.inputs.second) if part]
    example = dict.fromkeys((name for part in parts for name in part), "红色 running shoes")
    required = {part[0] for part in parts}
    if len(cards) > 1:
        example, required = {TASK: cards[0].task, **example}, {TASK}
    columns = [ColSpec(DataType.string, name, required=name in required) for name in example]
    mlflow.pyfunc.save_model(
        path=str(folder),
        python_model=__file__,
        artifacts={FOLDER: str(task_model)},
        signature=ModelSignature(inputs=Schema(columns)),
        pip_requirements=["shopguide"],
    )
    (folder / "example.json").write_text(
        json.dumps({"dataframe_records": [example]}, ensure_ascii=False, indent=1), encoding="utf-8"
    )


set_model(TaskModel())
