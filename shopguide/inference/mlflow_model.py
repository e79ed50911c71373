"""A task model for MLflow: `mlflow models serve` and `predict` run this file ("models from code").

Input: one column a field of the record. Output: one object a row, as `shopguide.predict` writes it.
"""

import json
from pathlib import Path
from typing import Any

import mlflow
import pandas
from mlflow.models import set_model
from mlflow.models.signature import ModelSignature
from mlflow.pyfunc.model import PythonModel, PythonModelContext
from mlflow.types.schema import ColSpec, DataType, Schema

FOLDER = "huggingface"


class TaskModel(PythonModel):
    """A task model behind MLflow's interface."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the Hugging Face folder that was logged with the model."""
        from shopguide.inference.load import load_model

        self.predictor = load_model(context.artifacts[FOLDER])

    def predict(
        self, context: PythonModelContext, model_input: pandas.DataFrame, params: dict[str, Any] | None = None
    ) -> list[dict[str, Any]]:
        """Answer a DataFrame, row by row."""
        records = model_input.astype(object).where(model_input.notna(), None).to_dict("records")
        return list(self.predictor.predict(records))


def save_mlflow_model(folder: Path, task_model: Path, fields: list[str], required: list[str]) -> None:
    """Write an MLflow model around a folder that fine-tuning saved.

    Args:
        folder: to be made.
        task_model: Hugging Face folder.
        fields: columns that the model reads.
        required: those without which it cannot answer.
    """
    columns = [ColSpec(DataType.string, name, required=name in required) for name in fields]
    example = dict.fromkeys(fields, "红色 running shoes")
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
