import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pandas
import pytest

from shopguide.inference.predictor import Predictor
from tests.conftest import Finished

QUERIES = ["想买一双防水的登山鞋", "red boots"]


def test_pyfunc_answers_as_the_predictor(finished: Finished, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow

    run = finished.store.task_runs(finished.run_id, "relevance")["relevance"]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", finished.store.uri)
    predictor = Predictor.load(finished.store.task_model(finished.run_id, "relevance"))
    records = [{"query": query, "title": "Trail boot", "attributes": "red, leather"} for query in QUERIES]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = mlflow.pyfunc.load_model(f"runs:/{run}/model")
        found = model.predict(pandas.DataFrame(records))
    for answer, expected in zip(found, predictor.predict(records), strict=True):
        assert answer["label"] == expected["label"]
        assert answer["posterior"] == pytest.approx(expected["posterior"], abs=1e-5)


@pytest.mark.slow
def test_mlflow_models_predict(finished: Finished, tmp_path: Path) -> None:
    run = finished.store.task_runs(finished.run_id, "need")["need"]
    (tmp_path / "in.json").write_text(
        json.dumps({"dataframe_records": [{"query": query} for query in QUERIES]}), encoding="utf-8"
    )
    command = [sys.executable, "-m", "mlflow", "models", "predict", "-m", f"runs:/{run}/model"]
    command += ["--env-manager", "local", "-i", "in.json", "-o", "out.json"]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": finished.store.uri, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))["predictions"]
    predictor = Predictor.load(finished.store.task_model(finished.run_id, "need"))
    for answer, expected in zip(found, predictor.predict({"query": q} for q in QUERIES), strict=True):
        assert answer["posterior"] == pytest.approx(expected["posterior"], abs=1e-5)
