"""A new layer that starts as logistic regression on the frozen backbone."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from shopguide.build import build_task
from shopguide.checks import parse_config
from shopguide.experiment.prepare import load_material
from shopguide.experiment.run import run_experiment
from shopguide.inference.load import load_model
from shopguide.inference.predictor import Predictor
from shopguide.runs.store import open_store
from shopguide.tasks.labels import encode_labels
from shopguide.tasks.regression import PASSES, PENALTY
from tests.conftest import tiny_settings


@pytest.mark.parametrize("shared", [False, True])
def test_before_anything_is_learnt_the_posterior_is_the_regression_s(tmp_path: Path, shared: bool) -> None:
    changes = {"phases": ["finetune"], "finetune.probe": True, "finetune.shared": shared, "finetune.baselines": False}
    config = parse_config(tiny_settings(tmp_path, **changes, lr=1e-12))
    run_id = run_experiment(config).run_id
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    material = load_material(config.data)
    for task in (build_task(name, options) for name, options in config.tasks.items()):
        model = load_model(store.task_model(run_id, task.name), precision=32, task=task.name)
        assert isinstance(model, Predictor)
        train = task.examples(material.shop, material.parts, material.truth).of("train")
        states = model.pooled(train.first, train.second)
        states = (states - states.mean(0)) / states.std(0)
        told = model.posterior(train.first, train.second)
        labels = encode_labels(train, model.card.targets)
        for column, target in zip(labels.T, model.card.targets, strict=True):
            known = column >= 0
            fitted = LogisticRegression(C=PENALTY, max_iter=PASSES).fit(states[known], column[known])
            np.testing.assert_allclose(told[target], fitted.predict_proba(states), atol=2e-2)
