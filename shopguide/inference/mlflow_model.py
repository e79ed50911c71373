"""A task model for MLflow: `mlflow models serve` and `predict` run this file ("models from code").

Input: one column a field of the record; of a model that serves several tasks, also `task`, which of them is asked.
Output: one object a row, as `shopguide.predict` writes it.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import mlflow
import pandas
from mlflow.models import set_model
from mlflow.models.signature import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types.schema import ColSpec, DataType, Schema

from shopguide.inference.card import Card

FOLDER = "huggingface"
TASK = "task"


class TaskModel(PythonModel):
    """A task model behind MLflow's interface."""

    def load_context(self, context: PythonModelContext) -> None:
        """Find the Hugging Face folder that was logged with the model."""
        from shopguide.inference.load import load_model

        self.model = lru_cache(None)(lambda task: load_model(context.artifacts[FOLDER], task=task))

    def predict(
        self, context: PythonModelContext, model_input: pandas.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Answer a DataFrame, row by row.

        Raises:
            ModelError: the model serves several tasks, and a row says none of them.
        """
        records = model_input.astype(object).where(model_input.notna(), None).to_dict("records")
        tasks = [record.get(TASK) for record in records]
        answers = {
            task: self.model(task).predict([record for record in records if record.get(TASK) == task])
            for task in set(tasks)
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
