import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shopguide.errors import ModelError
from shopguide.inference import onnx as module
from shopguide.inference import second_look
from shopguide.inference.export import export
from shopguide.inference.load import load_model
from shopguide.inference.onnx import ALONE, FILE, TOGETHER, OnnxPredictor
from shopguide.inference.predictor import Predictor
from tests.conftest import Finished

pytest.importorskip("onnxscript")
TEXTS = ["防水登山鞋", "red shoes " * 40, "a", "想买一双 boots, size 42", "🙂"]


@pytest.fixture(scope="module")
def exported(finished: Finished, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("onnx")
    for task in ("need", "features", "relevance"):
        export(finished.store.task_model(finished.run_id, task), folder / task)
    return {task: folder / task for task in ("need", "features", "relevance")}


@pytest.mark.parametrize("task", ["need", "features", "relevance"])
def test_posteriors_are_those_of_the_original(finished: Finished, exported: dict[str, Path], task: str) -> None:
    original = Predictor.load(finished.store.task_model(finished.run_id, task))
    ours = load_model(exported[task])
    assert isinstance(ours, OnnxPredictor)
    second = TEXTS[::-1] if original.card.inputs.second else None
    expected = original.posterior(TEXTS, second)
    for tokens in (1, 64, 4096):
        found = ours.posterior(TEXTS, second, batch_tokens=tokens)
        assert list(found) == list(expected)
        for target in found:
            np.testing.assert_allclose(found[target], expected[target], atol=1e-5)
    assert all(part.shape[0] == 0 for part in ours.posterior([], [] if second else None).values())


def test_many_texts_are_answered_as_they_are_alone_though_the_file_is_gone(
    exported: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(exported["features"], folder)
    monkeypatch.setattr(module, "LANES", 2)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3, 4}, raising=False)
    ours = load_model(folder)
    assert isinstance(ours, OnnxPredictor)
    (folder / FILE).unlink()
    texts = [f"{text} {n}" for n in range(40) for text in TEXTS]
    found = ours.posterior(texts)
    assert ours._sessions._each is not None
    for row in range(0, 200, 23):
        for target, alone in ours.posterior(texts[row : row + 1]).items():
            np.testing.assert_allclose(found[target][row], alone[0], atol=1e-5)


def test_one_record_is_answered_without_torch(exported: dict[str, Path]) -> None:
    code = (
        "import json, sys; from shopguide import predict; "
        f"sys.argv = ['predict', 'folder={exported['need']}', 'text=防水登山鞋']; predict.main(); "
        "assert not {'torch', 'transformers', 'mlflow'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"label", "posterior"}


def test_eight_bits_are_smaller_and_answer_nearly_the_same(finished: Finished, tmp_path: Path) -> None:
    source = finished.store.task_model(finished.run_id, "features")
    found = export(source, tmp_path / "small", int8=True)
    export(source, tmp_path / "whole")
    assert (tmp_path / "small" / FILE).stat().st_size < (tmp_path / "whole" / FILE).stat().st_size
    assert 0 < found.difference < 0.02
    assert found.agreement > 0.6  # of a model that has seen little, whose classes are all about as probable


@pytest.mark.parametrize("task", ["features", "relevance"])
def test_close_calls_of_eight_bits_are_made_again_exactly(task: str, finished: Finished, tmp_path: Path) -> None:
    source = finished.store.task_model(finished.run_id, task)
    second = TEXTS[::-1] if task == "relevance" else None
    told = export(source, tmp_path / "checked", int8=True, calls=(TEXTS, second))
    export(source, tmp_path / "small", int8=True)
    export(source, tmp_path / "whole")
    checked, small, whole = (load_model(tmp_path / name) for name in ("checked", "small", "whole"))
    assert isinstance(checked, OnnxPredictor)
    assert isinstance(small, OnnxPredictor)
    assert isinstance(whole, OnnxPredictor)
    texts = [f"{text} {n}" for n in range(20) for text in TEXTS]
    second = texts[::-1] if whole.card.inputs.second else None
    found, rough, exact = (model.posterior(texts, second) for model in (checked, small, whole))
    closer_than = float(checked._told[TOGETHER])
    assert 0 < float(checked._told[ALONE]) <= closer_than < 0.5
    made_again = np.zeros(len(texts), dtype=bool)
    for target, part in exact.items():
        assert (found[target].argmax(1) == part.argmax(1)).all()
        again = ~np.isclose(found[target], rough[target], atol=1e-7).all(1)
        np.testing.assert_allclose(found[target][again], part[again], atol=1e-5)
        made_again |= again
    close = [second_look.distances(part) < closer_than for part in rough.values()]
    assert made_again.any() == np.any(close)
    assert (made_again >= np.any(close, axis=0)).mean() > 0.9, "some are made again, and come out the same"
    assert told.agreement == 1
    assert told.again is not None
    assert 0 <= told.again <= 1
    sizes = [(tmp_path / name / FILE).stat().st_size for name in ("checked", "small")]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.01)
    for target, part in checked.rough_posterior(texts, second).items():
        np.testing.assert_allclose(part, rough[target], atol=1e-6)


def test_what_is_far_from_close_is_answered_once(exported: dict[str, Path]) -> None:
    ours = load_model(exported["need"])
    assert isinstance(ours, OnnxPredictor)
    ours.exact, ours._told = ours, {ALONE: "1.1", TOGETHER: "0"}
    asked: list[int] = []
    plain = ours._posteriors
    ours._posteriors = lambda first, *more: asked.append(len(first)) or plain(first, *more)  # type: ignore
    ours.posterior(TEXTS)
    assert asked == [5]
    ours.posterior(TEXTS[:1])
    assert asked == [5, 1, 1]
    ours._told = {ALONE: "0", TOGETHER: "1.1"}
    ours.posterior(TEXTS)
    assert asked == [5, 1, 1, 5, 5]


def test_what_is_written_is_the_model_and_nothing_else(exported: dict[str, Path]) -> None:
    assert {path.name for path in exported["need"].iterdir()} == {
        FILE,
        "shopguide.json",
        "tokenizer.json",
        "tokenizer_config.json",
    }


def test_an_exported_model_is_replaced_as_a_whole_and_nothing_else_is(finished: Finished, tmp_path: Path) -> None:
    source = finished.store.task_model(finished.run_id, "features")
    folder = tmp_path / "out"
    export(source, folder)
    (folder / "features").mkdir()
    (folder / "features" / "fusion.json").write_text("of another model")
    export(source, folder)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not (folder / "features").exists()
    assert load_model(folder).card.task == "features"
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match=r"expected an exported model and nothing else there, found notes\.txt too"):
        export(source, folder)
    (folder / "shopguide.json").unlink()
    before = sorted(folder.iterdir())
    with pytest.raises(ModelError, match=r"output=.*: expected no .*out, or an exported model, found something else"):
        export(source, folder)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(("int8", "texts"), [(False, ["tent"]), (True, [])])
def test_close_calls_are_those_of_eight_bits_and_measured_on_texts(
    int8: bool, texts: list[str], finished: Finished, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="expected 8-bit weights, and texts to measure"):
        export(finished.store.task_model(finished.run_id, "need"), tmp_path / "out", int8=int8, calls=(texts, None))
    assert not (tmp_path / "out").exists()


def test_a_model_that_is_not_the_originals_is_refused(
    finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shopguide.inference.export.TOLERANCE", -1.0)
    with pytest.raises(ModelError, match="nothing was written"):
        export(finished.store.task_model(finished.run_id, "need"), tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_broken_file_and_a_missing_package_are_told(
    exported: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in exported["need"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes()[: 10 if file.name == FILE else None])
    with pytest.raises(ModelError, match="export the model again"):
        load_model(tmp_path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ModelError, match=r"pip install 'shopguide\[onnx\]'"):
        load_model(tmp_path)
