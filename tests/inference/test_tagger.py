"""Tagging and extraction from a user's files to answers: trained, saved, loaded, asked, evaluated."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shopguide.checks import parse_config
from shopguide.experiment.evaluate import evaluate_run
from shopguide.experiment.run import run_experiment
from shopguide.inference import network
from shopguide.inference.card import read_card
from shopguide.inference.export import export
from shopguide.inference.load import load_model
from shopguide.inference.onnx import OnnxTagger
from shopguide.inference.tagger import Tagger
from shopguide.runs.store import Store, open_store
from tests.conftest import tiny_settings
from tests.records.shops import write_lines

COLOURS, BRANDS = ("red", "blue", "green", "红色", "黑色"), ("acme", "zeta", "耐克", "云峰")


def rows(count: int) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    draw = np.random.default_rng(0)
    for i in range(count):
        colour, brand = str(draw.choice(COLOURS)), str(draw.choice(BRANDS))
        text = f"{colour} shoe {i} by {brand}"
        at = len(text) - len(brand)
        spans = [
            {"start": 0, "end": len(colour), "label": "colour"},
            {"start": at, "end": len(text), "label": "brand"},
        ]
        attributes = {"colour": colour, "brand": brand, "size": "n/a"}
        yield {"text": text, "spans": spans}, {"item_id": f"I{i}", "title": text, "attributes": attributes}


class Trained:
    """One experiment of both tasks."""

    def __init__(self, folder: Path) -> None:
        annotations, products = zip(*rows(240), strict=True)
        (folder / "shop").mkdir()
        write_lines(folder / "shop" / "annotations.jsonl", annotations)
        write_lines(folder / "shop" / "products.jsonl", products)
        self.settings = tiny_settings(
            folder,
            **{
                "phases": ["finetune"],
                "lr": 1e-2,
                "epochs": 4,
                "data.reader": "files",
                "data.root": folder / "shop",
                "data.options": {},
                "data.split.by": "group",
                "tasks": {
                    "spans": {"target": "shopguide.tasks.spans.Spans"},
                    "values": {"target": "shopguide.tasks.values.Values"},
                },
            },
        )
        self.config = parse_config(self.settings)
        self.run_id = run_experiment(self.config).run_id
        self.store: Store = open_store(None, "shopguide", folder / "mlruns")

    def folder(self, task: str) -> Path:
        return self.store.task_model(self.run_id, task)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("tagged"))


TEXTS = ["red shoe 7 by acme", "黑色 shoe 9 by 云峰", "", "👟 \u200f x " * 60, "ＲＥＤ shoe by zeta"]


def test_both_are_learnt_and_stand_beside_their_baselines(trained: Trained) -> None:
    spans, values = trained.store.find_children(trained.run_id)
    assert spans.data.metrics["test/f1"] > 0.9
    assert values.data.metrics["test/f1"] > 0.6
    assert {"lexicon/f1", "word_lr/f1", "test/f1/brand", "test/f1.low"} <= set(spans.data.metrics)
    assert "lexicon/f1" in values.data.metrics
    parent = trained.store.client.get_run(trained.run_id).data.metrics
    assert parent["spans/f1"] == spans.data.metrics["test/f1"]
    assert parent["test/score"] == pytest.approx((spans.data.metrics["test/f1"] + values.data.metrics["test/f1"]) / 2)


def test_spans_are_stretches_of_the_text_as_it_was_given(trained: Trained) -> None:
    model = load_model(trained.folder("spans"))
    assert isinstance(model, Tagger)
    for text, answer in zip(TEXTS, model.answers(TEXTS, None, batch_tokens=64), strict=True):
        for span in answer["spans"]:
            assert span["text"] == text[span["start"] : span["end"]] != ""
            assert span["label"] in ("brand", "colour")
            assert 0 < span["score"] <= 1
    (first,) = model.predict([{"text": TEXTS[0]}])
    assert [(span["text"], span["label"]) for span in first["spans"]] == [("red", "colour"), ("acme", "brand")]


def test_blanks_at_the_ends_of_a_record_are_counted(trained: Trained) -> None:
    model = load_model(trained.folder("spans"))
    record = {"text": " \t red shoe 7 by acme \n"}
    (answer,) = model.predict([record])
    assert answer["spans"]
    assert all(record["text"][span["start"] : span["end"]] == span["text"] for span in answer["spans"])


def test_batches_and_neighbours_change_nothing(trained: Trained) -> None:
    model = load_model(trained.folder("spans"))
    assert isinstance(model, Tagger)
    together, alone = model.spans(TEXTS * 4), [model.spans([text])[0] for text in TEXTS * 4]
    assert [[one.span for one in found] for found in together] == [[one.span for one in found] for found in alone]
    for one, other in zip(together, alone, strict=True):
        assert [found.score for found in one] == pytest.approx([found.score for found in other], abs=1e-4)
    assert model.spans([]) == []


def test_half_precision_changes_no_span(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = TEXTS * 9
    exact = Tagger.load(trained.folder("spans"), precision=32).spans(texts)
    monkeypatch.setattr(network, "good_at_bf16", lambda device: device == "cpu")
    monkeypatch.setattr(network, "MANY", 1)
    half = Tagger.load(trained.folder("spans")).spans(texts)
    assert [[one.span for one in found] for found in half] == [[one.span for one in found] for found in exact]
    assert half != exact, "half precision was not used"
    monkeypatch.setattr("shopguide.inference.second_look.CLOSE", 2.0)
    again = Tagger.load(trained.folder("spans")).spans(texts)
    assert [f.score for found in again for f in found] == pytest.approx([f.score for found in exact for f in found])


def test_the_value_of_an_attribute_or_none(trained: Trained) -> None:
    model = load_model(trained.folder("values"))
    assert isinstance(model, Tagger)
    asked = [{"attribute": name, "title": "blue shoe 3 by zeta"} for name in ("colour", "size")]
    colour, size = model.predict(asked)
    assert colour["value"] in (None, "blue", "zeta")
    assert size["value"] is None
    if colour["spans"]:
        assert colour["value"] == colour["spans"][0]["text"]


def test_evaluate_repeats_the_scores(trained: Trained) -> None:
    found = evaluate_run(trained.store, trained.run_id, None, trained.config.data, "test", 64)
    for child in trained.store.find_children(trained.run_id):
        task = child.data.tags["task"]
        assert found[task]["f1"]["value"] == pytest.approx(child.data.metrics["test/f1"], abs=1e-6)
        assert found[task]["f1"]["low"] <= found[task]["f1"]["value"] <= found[task]["f1"]["high"]


def test_figures_and_an_ordinary_folder(trained: Trained) -> None:
    for child in trained.store.find_children(trained.run_id):
        figures = {file.path for file in trained.store.client.list_artifacts(child.info.run_id, "figures")}
        assert "figures/f1_by_label.png" in figures
    folder = trained.folder("spans")
    config = json.loads((folder / "config.json").read_text())
    assert config["id2label"] == {"0": "O", "1": "B-brand", "2": "I-brand", "3": "B-colour", "4": "I-colour"}
    assert read_card(folder).kind == "tagging"


@pytest.mark.parametrize("task", ["spans", "values"])
def test_exported_it_says_the_same(trained: Trained, task: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxscript")
    found = export(trained.folder(task), tmp_path / "out")
    assert found.difference < 1e-4
    original, exported = load_model(trained.folder(task), precision=32), load_model(tmp_path / "out")
    assert isinstance(original, Tagger)
    assert isinstance(exported, OnnxTagger)
    first, second = (TEXTS, None) if task == "spans" else (["colour", "brand", "size", "x", "colour"], TEXTS)
    for tokens in (1, 4096):
        ours = exported.spans(first, second, batch_tokens=tokens)
        theirs = original.spans(first, second)
        assert [[one.span for one in some] for some in ours] == [[one.span for one in some] for some in theirs]
    told = next(exported.answers(first, second, batch_tokens=64))
    assert set(told) == ({"spans"} if task == "spans" else {"value", "spans"})
    assert exported.spans([]) == []
