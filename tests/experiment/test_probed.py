"""A new layer that starts as logistic regression on the frozen backbone."""

from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
from scipy.special import softmax

from shopguide.build import build_task
from shopguide.checks import parse_config
from shopguide.experiment.fit import DevHistory
from shopguide.experiment.heads.classification import ClassificationHead
from shopguide.experiment.prepare import load_material
from shopguide.experiment.run import run_experiment
from shopguide.inference.load import load_model
from shopguide.inference.predictor import Predictor
from shopguide.runs.store import open_store
from shopguide.tasks.labels import encode_labels
from shopguide.tasks.regression import probe
from shopguide.tasks.temperature import tempered
from tests.conftest import tiny_settings

DROPOUT = 0.1
"""Before the last layer of a BERT."""


@pytest.mark.parametrize("shared", [False, True])
def test_before_anything_is_learnt_the_posterior_is_the_regression_s(tmp_path: Path, shared: bool) -> None:
    changes = {"phases": ["finetune"], "finetune.shared": shared, "finetune.baselines": False}
    config = parse_config(tiny_settings(tmp_path, **changes, lr=1e-12))
    run_id = run_experiment(config).run_id
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    material = load_material(config.data)
    for task in (build_task(name, options) for name, options in config.tasks.items()):
        model = load_model(store.task_model(run_id, task.name), precision=32, task=task.name)
        assert isinstance(model, Predictor)
        train = task.examples(material.shop, material.parts, material.truth).of("train")
        states = model.pooled(train.first, train.second)
        told = model.posterior(train.first, train.second)
        labels = encode_labels(train, model.card.targets)
        for column, (target, classes) in zip(labels.T, model.card.targets.items(), strict=True):
            weights, biases = probe(states, column, len(classes), True, DROPOUT)
            expected = tempered(softmax(states @ weights.T + biases, axis=1), model.card.temperatures[target])
            np.testing.assert_allclose(told[target], expected, atol=2e-2)


def test_what_is_learnt_is_not_probed_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = {"phases": ["finetune"], "finetune.baselines": False, "epochs": 3}
    settings = tiny_settings(tmp_path, **changes)
    settings["tasks"] = {"need": settings["tasks"]["need"]}
    probed: list[str] = []
    monkeypatch.setattr(
        ClassificationHead, "probe", lambda _self, predictor, _train: probed.append(predictor.card.task)
    )
    stopping = DevHistory.on_validation_end

    def stop(history: DevHistory, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        stopping(history, trainer, module)
        if trainer.current_epoch == 1:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(DevHistory, "on_validation_end", stop)
        with pytest.raises(KeyboardInterrupt):
            run_experiment(parse_config(settings))
    run_id = capsys.readouterr().out.split("run ")[1].split(":")[0]
    run_experiment(parse_config({**settings, "resume": run_id}))
    assert probed == ["need"]
