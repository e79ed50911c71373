"""The task `recommend`, from a tiny shop to what comes next."""

from pathlib import Path

import numpy as np
import pytest

from shopguide.checks import parse_config
from shopguide.errors import DataError
from shopguide.experiment.evaluate import evaluate_run
from shopguide.experiment.run import run_experiment
from shopguide.inference.encoder import Encoder
from shopguide.inference.indexing import build_index
from shopguide.inference.load import load_model
from shopguide.runs.store import Store, open_store
from shopguide.tasks.task import Catalogue
from tests.conftest import tiny_settings

TASKS = {"recommend": {"target": "shopguide.tasks.recommend.Recommend"}}


class Recommended:
    def __init__(self, folder: Path) -> None:
        more = {"phases": ["finetune"], "tasks": TASKS, "finetune.baselines": True}
        self.config = parse_config(tiny_settings(folder, **more, epochs=4))
        self.run_id = run_experiment(self.config).run_id
        self.store: Store = open_store(None, "shopguide", folder / "mlruns")
        self.folder = self.store.task_model(self.run_id, "recommend")


@pytest.fixture(scope="module")
def recommended(tmp_path_factory: pytest.TempPathFactory) -> Recommended:
    return Recommended(tmp_path_factory.mktemp("recommended"))


def test_scores_stand_beside_those_of_the_crowd(recommended: Recommended) -> None:
    (child,) = recommended.store.find_children(recommended.run_id)
    for name in ("test", "bm25", "popularity", "item_knn", "fused", "with_item_knn"):
        assert 0 <= child.data.metrics[f"{name}/ndcg_at_10"] <= 1
    # Of 150 products, a random order has 0.67 of what comes next among the first 100, and 0.07 among the first ten.
    assert child.data.metrics["test/recall_at_10"] > 0.12
    found = evaluate_run(recommended.store, recommended.run_id, None, recommended.config.data, "test", 256)
    for name in ("ndcg_at_10", "recall_at_100"):
        assert found["recommend"][name]["value"] == pytest.approx(child.data.metrics[f"test/{name}"], abs=1e-6)


def test_a_history_is_told_by_ids_or_in_words(recommended: Recommended, capsys: pytest.CaptureFixture[str]) -> None:
    model = load_model(recommended.folder)
    products = model.catalogue.products  # type: ignore[attr-defined]
    words = dict(zip(products.ids, products.texts, strict=True))
    seen = products.ids[:3]
    by_ids = {"query": "手机", "viewed_items": seen[:2], "purchased_items": "|".join(seen[2:])}
    in_words = {"query": "手机", "viewed": [words[seen[1]], words[seen[0]]], "purchased": words[seen[2]]}
    one, other = model.predict([by_ids, in_words])
    assert one["items"] == other["items"]
    assert len(one["items"]) == 10
    assert not {item["item_id"] for item in one["items"]} & set(seen), "what was seen is not recommended again"
    alone = next(iter(model.predict([{"viewed_items": [seen[0], "unknown"]}])))
    assert len(alone["items"]) == 10
    list(model.predict([{"viewed_items": [seen[0], "unknown"]}]))
    assert capsys.readouterr().err == "1 item_ids of histories are not in this catalogue: left out\n"
    everything = next(iter(model.predict([{"viewed_items": list(products.ids[:-4])}])))
    assert {item["item_id"] for item in everything["items"]} == set(products.ids[-4:])
    (asked,) = model.predict([{"query": words[seen[0]]}])
    assert asked["items"][0]["text"] == words[seen[0]], "what is only asked for is recommended"
    with pytest.raises(DataError, match="record 1: expected products of this catalogue, found unknown ones: unknown"):
        list(model.predict([{"viewed_items": ["unknown"]}]))


def test_the_seed_decides_all(recommended: Recommended, tmp_path: Path) -> None:
    again = Recommended(tmp_path)
    (first,), (second,) = (made.store.find_children(made.run_id) for made in (recommended, again))
    names = [name for name in first.data.metrics if name.startswith(("test/", "kept/"))]
    assert {n: second.data.metrics[n] for n in names} == pytest.approx({n: first.data.metrics[n] for n in names})


@pytest.mark.parametrize("items", [5, "[1,2", [{"item_id": "I1"}]], ids=str)
def test_a_history_that_is_no_list_is_told(items: object, recommended: Recommended) -> None:
    with pytest.raises(DataError, match="record 2: viewed_items: expected a list of item_ids, found"):
        list(load_model(recommended.folder).predict([{"query": "a"}, {"query": "a", "viewed_items": items}]))


def test_products_have_vectors_of_their_own(tmp_path: Path) -> None:
    more = {"phases": ["finetune"], "tasks": TASKS, "finetune.matching.items": 50.0, "finetune.matching.hard": 1}
    config = parse_config(tiny_settings(tmp_path, **more, epochs=2))
    run = run_experiment(config)
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    folder = store.task_model(run.run_id, "recommend")
    model = load_model(folder, 32)
    assert isinstance(model, Encoder)
    assert model.catalogue is not None
    ids, texts = list(model.catalogue.products.ids), list(model.catalogue.products.texts)
    by_text = model.vectors(texts)
    apart = np.linalg.norm(model.catalogue.matrix - by_text, axis=1)
    assert (apart > 1e-3).mean() > 0.5
    np.testing.assert_allclose(model.products(ids, texts), model.catalogue.matrix, atol=1e-5)
    new = model.products([ids[1], "new"], [texts[0], texts[0]])
    np.testing.assert_allclose(new[1], by_text[0], atol=1e-5)
    assert np.abs(new[0] - by_text[0]).max() > 1e-3
    index = build_index(model, folder, Catalogue(ids[:5], texts[:5]), tmp_path / "index", 256)
    np.testing.assert_allclose(index.matrix, model.catalogue.matrix[:5], atol=1e-5)
    found = evaluate_run(store, run.run_id, None, config.data, "test", 256)
    (child,) = store.find_children(run.run_id)
    assert found["recommend"]["ndcg_at_10"]["value"] == pytest.approx(child.data.metrics["test/ndcg_at_10"], abs=1e-6)
