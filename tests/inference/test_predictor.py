import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from shopguide.config import InferencePrecision
from shopguide.errors import DataError, ModelError
from shopguide.inference import network
from shopguide.inference.card import read_card, write_cards
from shopguide.inference.lanes import side_by_side
from shopguide.inference.predictor import Predictor
from shopguide.inference.second_look import CLOSE
from tests.conftest import Finished

TEXTS = ["手机壳", "red trail running boots for a long day in the rain", "tv", ""]


@pytest.fixture(scope="module")
def need(finished: Finished) -> Predictor:
    return Predictor.load(finished.store.task_model(finished.run_id, "need"), precision=32)


@pytest.fixture(scope="module")
def features(finished: Finished) -> Predictor:
    return Predictor.load(finished.store.task_model(finished.run_id, "features"), precision=32)


def test_posterior_is_the_softmax_of_the_model_at_its_temperature(need: Predictor) -> None:
    temperature = need.card.temperatures["category"]
    for text, row in zip(TEXTS, need.posterior(TEXTS)["category"], strict=True):
        cut = {"truncation": True, "max_length": need.card.max_length}
        encoded = need.tokenizer(text, **cut, return_tensors="pt", return_token_type_ids=False)
        with torch.no_grad():
            expected = (need.model(**encoded).logits[0] / temperature).softmax(-1).numpy()
        np.testing.assert_allclose(row, expected, atol=1e-5)
        assert row.sum() == pytest.approx(1, abs=1e-5)


def test_batches_do_not_change_the_answers(features: Predictor) -> None:
    alone, together = (features.posterior(TEXTS * 5, batch_tokens=size) for size in (1, 4096))
    for target in features.card.targets:
        np.testing.assert_allclose(alone[target], together[target], atol=1e-5)


def test_what_is_no_record_or_no_text_is_told(need: Predictor) -> None:
    with pytest.raises(DataError, match="record 2: expected fields and their values, found '手机'"):
        list(need.predict([{"query": "a"}, "手机"]))  # type: ignore[list-item]
    with pytest.raises(DataError, match="record 1: expected whole characters, found half of one"):
        list(need.predict([{"query": "\ud83d abc"}]))


@pytest.mark.parametrize("precision", [32, "auto"])
def test_batches_side_by_side_give_the_same_answers(
    finished: Finished, precision: InferencePrecision, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor.load(finished.store.task_model(finished.run_id, "features"), precision=precision)
    texts, lanes = [f"{text} {n}" for n in range(100) for text in TEXTS], []

    def watched(*arguments: Any) -> Any:
        lanes.append(arguments[2])
        return side_by_side(*arguments)

    monkeypatch.setattr(network, "side_by_side", watched)
    monkeypatch.setattr(network, "LEAST", 64)
    monkeypatch.setattr(network, "good_at_bf16", lambda device: precision == "auto")
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(torch, "get_num_threads", lambda threads=threads: threads)
        found.append(predictor.posterior(texts))
    assert lanes[0] == 1
    assert max(lanes) == 3
    together = predictor.posterior(texts, batch_tokens=64)
    assert lanes[-1] == 1, "no more at once than it was told"
    assert all((together[target].argmax(1) == found[0][target].argmax(1)).all() for target in together)
    for target in predictor.card.targets:
        np.testing.assert_allclose(found[0][target], found[1][target], atol=1e-5 if precision == 32 else 2e-2)
        assert (found[0][target].argmax(1) == found[1][target].argmax(1)).all()


def test_the_label_is_the_most_likely_class(need: Predictor) -> None:
    for answer in need.predict({"query": text or "x"} for text in TEXTS):
        shares = list(answer["posterior"].values())
        assert shares == sorted(shares, reverse=True)
        assert answer["label"] == next(iter(answer["posterior"]))
        assert set(answer["posterior"]) == set(need.card.targets["category"])


@pytest.mark.parametrize("task", ["need", "features"])
def test_half_precision_changes_no_answer(finished: Finished, task: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = finished.store.task_model(finished.run_id, task)
    texts = [
        f"{size} {colour} {kind}" for size in "SML" for colour in ("red", "蓝色", "") for kind in ("boots", "手机")
    ]
    exact = Predictor.load(folder, precision=32).posterior(texts * 9)
    monkeypatch.setattr(network, "good_at_bf16", lambda device: device == "cpu")
    monkeypatch.setattr(network, "MANY", 1)
    half = Predictor.load(folder).posterior(texts * 9)
    for target, expected in exact.items():
        assert half[target].argmax(1).tolist() == expected.argmax(1).tolist()
        np.testing.assert_allclose(half[target], expected, atol=CLOSE / 2)
    monkeypatch.setattr("shopguide.inference.second_look.CLOSE", 0.0)
    rough = Predictor.load(folder).posterior(texts * 9)
    assert any((rough[target] != exact[target]).any() for target in exact), "half precision was not used"
    monkeypatch.setattr("shopguide.inference.second_look.CLOSE", 2.0)
    again = Predictor.load(folder).posterior(texts * 9)
    for target, expected in exact.items():
        np.testing.assert_allclose(again[target], expected, atol=1e-5)


def test_several_targets_answer_by_target(features: Predictor) -> None:
    (answer,) = features.predict([{"title": "Red cotton shirt"}])
    assert set(answer["label"]) == set(answer["posterior"]) == {"category", "brand", "colour", "material"}


def test_a_long_stream_is_answered_in_order(need: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shopguide.inference.answers.CHUNK", 3)
    records = [{"query": f"{'long ' * (i % 4)}query {i}"} for i in range(10)]
    streamed = [answer["posterior"] for answer in need.predict(iter(records))]
    expected = [answer["posterior"] for record in records for answer in need.predict([record])]
    for one, other in zip(streamed, expected, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def test_a_record_without_the_fields_it_reads(need: Predictor) -> None:
    with pytest.raises(DataError, match=r"record 2: task `need` expected text in query, found only title"):
        list(need.predict([{"query": "a"}, {"title": "b", "query": " "}]))


def test_vectors_are_means_over_a_texts_own_tokens(need: Predictor) -> None:
    alone, together = need.embed(TEXTS[:1]), need.embed(TEXTS[:3])
    assert together.shape == (3, need.model.config.hidden_size)
    np.testing.assert_allclose(alone[0], together[0], atol=1e-5)


def test_a_folder_that_is_no_task_model(finished: Finished, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"expected a model fine-tuned by shopguide"):
        Predictor.load(tmp_path)
    (tmp_path / "shopguide.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(ModelError, match=r"expected format 2, found 99"):
        Predictor.load(tmp_path)


def test_the_card_reads_back(need: Predictor, tmp_path: Path) -> None:
    write_cards(tmp_path, [need.card])
    assert read_card(tmp_path) == read_card(tmp_path, "another") == need.card
    other = replace(need.card, task="other", offset=9)
    write_cards(tmp_path, [need.card, other])
    assert read_card(tmp_path, "other") == other
    first = {"format": 1, "task": "need", "inputs": need.card.inputs.to_dict(), "targets": {}, "max_length": 9}
    (tmp_path / "shopguide.json").write_text(json.dumps(first))
    assert read_card(tmp_path).kind == "classification"
