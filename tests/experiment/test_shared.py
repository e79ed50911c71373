"""Several tasks over one encoder: one folder, each task's own answers."""

from pathlib import Path

import mlflow
import numpy as np
import pandas
import pytest
import torch

from shopguide.checks import parse_config
from shopguide.errors import ModelError
from shopguide.experiment.evaluate import evaluate_run
from shopguide.experiment.run import run_experiment
from shopguide.inference import network
from shopguide.inference.card import read_card
from shopguide.inference.export import export
from shopguide.inference.load import load_model
from shopguide.inference.onnx import OnnxPredictor, load_onnx
from shopguide.inference.predictor import Predictor
from shopguide.runs.store import Store, open_store
from tests.conftest import tiny_settings

TASKS = ("need", "features", "relevance")


class Shared:
    def __init__(self, folder: Path) -> None:
        settings = tiny_settings(
            folder,
            **{"phases": ["finetune"], "finetune.shared": True, "finetune.lexical": True, "finetune.baselines": True},
        )
        self.settings, self.config = settings, parse_config(settings)
        self.run_id = run_experiment(self.config).run_id
        self.store: Store = open_store(None, "shopguide", folder / "mlruns")

    def folder(self, task: str) -> Path:
        return self.store.task_model(self.run_id, task)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    return Shared(tmp_path_factory.mktemp("shared"))


def test_one_folder_serves_every_task(shared: Shared) -> None:
    (folder,) = {shared.folder(task) for task in TASKS}
    cards = [read_card(folder, task) for task in TASKS]
    assert [card.task for card in cards] == list(TASKS)
    ends = np.cumsum([sum(card.sizes) for card in cards])
    assert [card.offset for card in cards] == [0, *ends[:-1]]
    assert len(list(folder.glob("*.safetensors"))) == 1
    with pytest.raises(ModelError, match=r"serves several tasks, say which with task=… \(need, features, relevance\)"):
        load_model(folder)


def test_a_task_answers_with_its_own_run_of_outputs(shared: Shared) -> None:
    for task in TASKS:
        model = load_model(shared.folder(task), precision=32, task=task)
        assert isinstance(model, Predictor)
        second = ["red boots"] if model.card.inputs.second else None
        encoded = model.tokenizer(["手机壳"], second, return_tensors="pt")
        with torch.no_grad():
            outputs = model.model(**{k: v for k, v in encoded.items() if k != "token_type_ids" or second}).logits[0]
        start = model.card.offset
        for target, classes in model.card.targets.items():
            expected = outputs[start : start + len(classes)].softmax(-1).numpy()
            found = model.network_posterior(["手机壳"], second)[target][0]
            np.testing.assert_allclose(found, expected, atol=1e-5)
            start += len(classes)


def test_scores_and_figures_stand_on_each_tasks_run(shared: Shared) -> None:
    runs = {child.info.run_name: child for child in shared.store.find_children(shared.run_id)}
    assert set(runs) == {"shared need+features+relevance", *(f"finetune {task}" for task in TASKS)}
    for task in TASKS:
        metrics = runs[f"finetune {task}"].data.metrics
        assert {"test/macro_f1", "kept/dev/macro_f1", "network/macro_f1", "tfidf_lr/macro_f1"} <= set(metrics)
        figures = shared.store.client.list_artifacts(runs[f"finetune {task}"].info.run_id, "figures")
        assert any("confusion" in file.path for file in figures)
    kept = {runs[f"finetune {task}"].data.metrics["kept/dev/macro_f1"] for task in TASKS}
    assert len(kept) == 3, "each task has its own dev score"


def test_the_saved_branch_is_the_scored_one(shared: Shared) -> None:
    found = evaluate_run(shared.store, shared.run_id, None, shared.config.data, "test", 64)
    for child in shared.store.find_children(shared.run_id):
        if task := child.data.tags.get("task"):
            assert found[task]["macro_f1"]["value"] == pytest.approx(child.data.metrics["test/macro_f1"], abs=0.01)


def test_the_branch_is_fused_and_exported_with_it(shared: Shared, tmp_path: Path) -> None:
    export(shared.folder("features"), tmp_path / "out", task="features")
    original, exported = (
        Predictor.load(shared.folder("features"), task="features"),
        load_onnx(tmp_path / "out"),
    )
    assert isinstance(exported, OnnxPredictor)
    assert exported.card.offset == 0
    assert original.fusion is not None
    texts = ["Red cotton shirt", "防水登山鞋", ""]
    expected = original.fusion(original.network_posterior(texts), texts, None)
    for target, posterior in original.posterior(texts).items():
        np.testing.assert_allclose(exported.posterior(texts)[target], posterior, atol=1e-3)
        np.testing.assert_allclose(posterior, expected[target], atol=1e-5)
        np.testing.assert_allclose(posterior.sum(1), 1, atol=1e-5)


def test_for_mlflow_a_column_says_which_task(shared: Shared) -> None:
    (task_run,) = shared.store.task_runs(shared.run_id, "need").values()
    uri = f"{shared.store.artifact_folder(shared.store.model_run(task_run), 'model')}"
    model = mlflow.pyfunc.load_model(uri)
    records = [
        {"task": "need", "query": "red boots"},
        {"task": "relevance", "query": "red boots", "title": "Trail boot"},
        {"task": "need", "query": "手机壳"},
        {"task": "features", "title": "Oak chair"},
    ]
    found = model.predict(pandas.DataFrame(records))
    for record, answer in zip(records, found, strict=True):
        (expected,) = load_model(shared.folder(record["task"]), task=record["task"]).predict([record])
        assert answer["label"] == expected["label"]
    with pytest.raises(ModelError, match="column `task`: expected one of need, features, relevance, found spans"):
        model.predict(pandas.DataFrame([{"task": "spans", "query": "red boots"}]))


def test_close_calls_are_those_of_the_fused_posterior(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, texts = shared.folder("relevance"), ["red boots", "手机壳", "oak chair", "茶"]
    pairs = texts * 4, [text for text in texts for _ in range(4)]
    precise = Predictor.load(folder, precision=32, task="relevance")
    monkeypatch.setattr(network, "good_at_bf16", lambda device: device == "cpu")
    monkeypatch.setattr(network, "MANY", 1)
    model = Predictor.load(folder, task="relevance")
    for one in (precise, model):
        assert one.fusion is not None
        one.fusion.powers["grade"] = (1.0, 1.0)  # the network has a say, whatever it has learnt
    exact = precise.posterior(*pairs)
    monkeypatch.setattr("shopguide.inference.second_look.CLOSE", 0.0)
    rough = model.posterior(*pairs)["grade"]
    top = -np.sort(-rough, axis=1)
    gap = top[:, 0] - top[:, 1]
    monkeypatch.setattr("shopguide.inference.second_look.CLOSE", float(np.median(gap)))
    found, close = model.posterior(*pairs)["grade"], gap < np.median(gap)
    assert 0 < close.sum() < len(gap)
    np.testing.assert_allclose(found[close], exact["grade"][close], atol=1e-5)
    assert (np.abs(rough - exact["grade"])[close] > 1e-5).any(), "half precision was not used"


def test_resumed_it_repeats_nothing(shared: Shared, capsys: pytest.CaptureFixture[str]) -> None:
    again = run_experiment(parse_config({**shared.settings, "resume": shared.run_id}))
    assert again.run_id == shared.run_id
    told = capsys.readouterr().out
    assert "shared need+features+relevance: finished before" in told
    assert "epoch 1/1" not in told


def test_levels_of_a_tree_never_contradict_each_other(tmp_path: Path) -> None:
    settings = tiny_settings(tmp_path, **{"phases": ["finetune"], "finetune.baselines": False})
    levels = ["category.1", "category"]
    settings["tasks"] = {"features": {"target": "shopguide.tasks.features.Features", "targets": levels, "tree": True}}
    outcome = run_experiment(parse_config(settings))
    folder = open_store(None, "shopguide", tmp_path / "mlruns").task_model(outcome.run_id, "features")
    model = load_model(folder)
    assert isinstance(model, Predictor)
    assert model.card.paths is not None
    tops, leaves = (model.card.targets[level] for level in levels)
    above = {leaves[leaf]: tops[top] for top, leaf in model.card.paths}
    own = model.network_posterior(["Red cotton shirt", "防水登山鞋"])
    found = model.posterior(["Red cotton shirt", "防水登山鞋"])
    assert any((own[level] != found[level]).any() for level in levels)
    for row in range(2):
        for number, name in enumerate(tops):
            below = [i for i, leaf in enumerate(leaves) if above.get(leaf) == name]
            np.testing.assert_allclose(found["category"][row][below].sum(), found["category.1"][row][number], atol=1e-5)
    export(folder, tmp_path / "out")
    exported = load_onnx(tmp_path / "out")
    assert isinstance(exported, OnnxPredictor)
    np.testing.assert_allclose(exported.posterior(["Red cotton shirt"])["category"][0], found["category"][0], atol=1e-3)
