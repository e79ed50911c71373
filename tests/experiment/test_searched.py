"""The task `search`, from a tiny shop to the nearest products."""

from pathlib import Path

import numpy as np
import pytest

from shopguide.checks import parse_config
from shopguide.errors import ConfigError, ModelError
from shopguide.experiment.evaluate import evaluate_run
from shopguide.experiment.run import run_experiment
from shopguide.inference.encoder import Encoder
from shopguide.inference.export import export
from shopguide.inference.load import load_model
from shopguide.inference.vectors import VECTORS
from shopguide.runs.store import Store, open_store
from tests.conftest import tiny_settings
from tests.records.shops import write_lines, write_shop

TASKS = {"search": {"target": "shopguide.tasks.search.Search"}}


class Searched:
    def __init__(self, folder: Path) -> None:
        more = {"phases": ["finetune"], "tasks": TASKS, "finetune.baselines": True, "finetune.matching.cached": 16}
        self.config = parse_config(tiny_settings(folder, **more))
        self.run_id = run_experiment(self.config).run_id
        self.store: Store = open_store(None, "shopguide", folder / "mlruns")
        self.folder = self.store.task_model(self.run_id, "search")


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    return Searched(tmp_path_factory.mktemp("searched"))


def test_scores_stand_beside_those_of_words(searched: Searched) -> None:
    (child,) = searched.store.find_children(searched.run_id)
    for name in ("test", "bm25", "fused"):
        assert 0 <= child.data.metrics[f"{name}/ndcg_at_10"] <= 1
        assert child.data.metrics[f"{name}/recall_at_100"] >= child.data.metrics[f"{name}/recall_at_10"]
    assert child.data.metrics["kept/dev/ndcg_at_10"] > 0
    assert child.data.metrics["test/recall_at_100"] > 0.5


def test_a_saved_model_finds_in_its_catalogue(searched: Searched) -> None:
    model = load_model(searched.folder)
    assert isinstance(model, Encoder)
    assert model.catalogue is not None
    (answer,) = model.predict([{"query": "手机壳"}])
    scores = [item["score"] for item in answer["items"]]
    assert scores == sorted(scores, reverse=True)
    own = model.vectors(["手机壳"])[0]
    cosines, products = model.catalogue.matrix @ own, model.catalogue.products
    best = int(np.argmax(cosines))
    score = pytest.approx(float(cosines.max()), abs=1e-5)
    assert answer["items"][0] == {"item_id": products.ids[best], "text": products.texts[best], "score": score}


def test_evaluate_repeats_the_scores_of_training(searched: Searched) -> None:
    found = evaluate_run(searched.store, searched.run_id, None, searched.config.data, "test", 256)
    (child,) = searched.store.find_children(searched.run_id)
    for name in ("ndcg_at_10", "recall_at_100"):
        assert found["search"][name]["value"] == pytest.approx(child.data.metrics[f"test/{name}"], abs=1e-6)


def test_what_it_cannot_do_is_told(searched: Searched, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="can be exported, found one of retrieval"):
        export(searched.folder, tmp_path / "out")
    model = load_model(searched.folder)
    assert isinstance(model, Encoder)
    model.catalogue = None
    model.save(tmp_path / "bare")
    assert not (tmp_path / "bare" / VECTORS).exists()
    with pytest.raises(ModelError, match="expected the catalogue's vectors beside the model, found none"):
        list(load_model(tmp_path / "bare").predict([{"query": "a"}]))


def test_more_dimensions_than_there_are(tmp_path: Path) -> None:
    more = {"phases": ["finetune"], "tasks": TASKS, "finetune.matching.dimensions": [8, 99]}
    with pytest.raises(ConfigError, match=r"matching\.dimensions: expected at most 16, the model's own, found 99"):
        run_experiment(parse_config(tiny_settings(tmp_path, **more)))


def test_a_dev_split_in_which_nothing_fits(tmp_path: Path) -> None:
    products = [{"item_id": f"I{i}", "title": f"thing {i}"} for i in range(12)]
    judged = [{"query": f"thing {i}", "item_id": f"I{i}", "label": 1, "split": "train"} for i in range(10)]
    judged += [{"query": f"no {split}", "item_id": "I1", "label": 0, "split": split} for split in ("dev", "test")]
    root = write_shop(tmp_path / "shop", products, [])
    write_lines(root / "judgements.jsonl", judged)
    more = {"phases": ["finetune"], "tasks": TASKS, "data.name": "files", "data.reader": "files", "data.root": root}
    run = run_experiment(parse_config(tiny_settings(tmp_path, **more, **{"data.options": {}})))
    assert run.metrics["search/ndcg_at_10"] == 0
