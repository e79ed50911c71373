import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from transformers import AutoConfig, AutoModel

from shopguide.errors import ModelError
from shopguide.inference import indexing
from shopguide.inference.card import Card
from shopguide.inference.encoder import Encoder
from shopguide.inference.indexing import ABOUT, _alone, build_index, load_index
from shopguide.inference.vectors import VECTORS
from shopguide.tasks.task import Catalogue
from shopguide.text.inputs import InputSpec
from shopguide.text.tokenizer import train_tokenizer

TEXTS = [f"thing {number} 手机 {'long ' * (number % 5)}" for number in range(23)]
PRODUCTS = Catalogue([f"I{number}" for number in range(23)], TEXTS)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    tokenizer = train_tokenizer(iter(TEXTS), 200, "bert")
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    network = AutoModel.from_config(AutoConfig.for_model("bert", vocab_size=len(tokenizer), **shape))
    card = Card("search", InputSpec(("query",)), {}, 32, "retrieval")
    Encoder(network, tokenizer, card, "cpu").save(folder)
    return folder


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexing, "BLOCK", 5)


def test_an_index_is_the_catalogues_vectors(model: Path, tmp_path: Path) -> None:
    encoder = Encoder.load(model)
    found = build_index(encoder, model, PRODUCTS, tmp_path / "index", 256)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".index.lock", "index"]
    np.testing.assert_allclose(found.matrix, encoder.vectors(TEXTS), atol=1e-6)
    assert isinstance(found.matrix, np.memmap)
    assert (list(found.products.ids), list(found.products.texts)) == (PRODUCTS.ids, TEXTS)
    again = Encoder.load(model)
    again.catalogue = load_index(tmp_path / "index", model)
    (answer,) = again.predict([{"query": TEXTS[7]}])
    assert answer["items"][0] == {"item_id": "I7", "text": TEXTS[7], "score": pytest.approx(1.0, abs=1e-5)}


class CutOff(Encoder):
    """Fails after some blocks."""

    left = 2

    def vectors(self, texts: list[str], batch_tokens: int = 256) -> np.ndarray:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        return super().vectors(texts, batch_tokens)


def test_one_that_was_cut_off_goes_on(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(KeyboardInterrupt):
        build_index(CutOff.load(model), model, PRODUCTS, tmp_path / "index", 256)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".index.lock", "index.draft"]
    counted = CutOff.load(model)
    counted.left = 3  # of five blocks two are there
    found = build_index(counted, model, PRODUCTS, tmp_path / "index", 256)
    assert "goes on at product 10 of 23" in capsys.readouterr().err
    np.testing.assert_allclose(found.matrix, Encoder.load(model).vectors(TEXTS), atol=1e-6)


def test_one_of_other_products_begins_anew(model: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        build_index(CutOff.load(model), model, PRODUCTS, tmp_path / "index", 256)
    others = Catalogue(PRODUCTS.ids[:8], [f"other {text}" for text in TEXTS[:8]])
    found = build_index(Encoder.load(model), model, others, tmp_path / "index", 256)
    np.testing.assert_allclose(found.matrix, Encoder.load(model).vectors(list(others.texts)), atol=1e-6)


class Counting(Encoder):
    """Remembers what it has read."""

    def vectors(self, texts: list[str], batch_tokens: int = 256) -> np.ndarray:
        self.read = [*getattr(self, "read", []), *texts]
        return super().vectors(texts, batch_tokens)


def test_only_what_has_changed_is_read_again(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    build_index(Encoder.load(model), model, PRODUCTS, tmp_path / "index", 256)
    texts = ["new", *TEXTS[3:12], "changed", *TEXTS[13:]]  # two removed, one added, one changed
    ids = ["I99", *PRODUCTS.ids[3:]]
    counting = Counting.load(model)
    found = build_index(counting, model, Catalogue(ids, texts), tmp_path / "index", 256)
    assert counting.read == ["new", "changed"]
    assert "19 of 21 products are as they were" in capsys.readouterr().err
    np.testing.assert_allclose(found.matrix, Encoder.load(model).vectors(texts), atol=1e-6)
    narrow = build_index(counting, model, Catalogue(ids, texts), tmp_path / "index", 256, dimensions=8)
    assert counting.read[2:] == texts
    assert narrow.matrix.shape == (21, 8)


def test_the_finished_one_takes_the_place_of_the_old(model: Path, tmp_path: Path) -> None:
    build_index(Encoder.load(model), model, PRODUCTS, tmp_path / "index", 256)
    few = Catalogue(PRODUCTS.ids[:3], TEXTS[:3])
    assert len(build_index(Encoder.load(model), model, few, tmp_path / "index", 256).products) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [".index.lock", "index"]


def test_what_is_no_index_is_told(model: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match=r"output=.*mine: expected no .*mine, or an index, found something else"):
        build_index(Encoder.load(model), model, PRODUCTS, tmp_path / "mine", 256)
    with pytest.raises(ModelError, match=r"expected a folder that `python -m shopguide.index` made, found none"):
        load_index(tmp_path / "mine", model)


def test_an_index_of_the_first_dimensions(model: Path, tmp_path: Path) -> None:
    encoder = Encoder.load(model)
    found = build_index(encoder, model, PRODUCTS, tmp_path / "index", 256, dimensions=6)
    whole = encoder.vectors(TEXTS)
    first = whole[:, :6] / np.linalg.norm(whole[:, :6], axis=1, keepdims=True)
    np.testing.assert_allclose(found.matrix, first, atol=1e-6)
    rows, scores = found.nearest(whole[[3]], 2)
    assert rows[0, 0] == 3
    np.testing.assert_allclose(scores[0], np.sort(first @ first[3])[::-1][:2], atol=1e-6)
    with pytest.raises(ModelError, match="dimensions=17: expected at most 16"):
        build_index(encoder, model, PRODUCTS, tmp_path / "other", 256, dimensions=17)


def test_folders_on_the_way_are_made_and_files_there_are_told(model: Path, tmp_path: Path) -> None:
    few = Catalogue(PRODUCTS.ids[:3], TEXTS[:3])
    assert len(build_index(Encoder.load(model), model, few, tmp_path / "a" / "b" / "index", 256).products) == 3
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ModelError, match="expected a place to write, found none in"):
        build_index(Encoder.load(model), model, few, tmp_path / "file" / "index", 256)


def test_two_do_not_make_the_same_index_at_once(model: Path, tmp_path: Path) -> None:
    encoder = CutOff.load(model)
    with pytest.raises(ModelError, match="another process is making this index"), _alone(tmp_path / "index"):
        build_index(encoder, model, PRODUCTS, tmp_path / "index", 256)
    assert encoder.left == 2, "nothing is done meanwhile"
    assert len(build_index(Encoder.load(model), model, PRODUCTS, tmp_path / "index", 256).products) == 23


def test_nobody_elses_draft_is_deleted(model: Path, tmp_path: Path) -> None:
    mine = tmp_path / "index.draft" / "mine.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(ModelError, match=r"expected no .*index.draft, or an index, found something else"):
        build_index(Encoder.load(model), model, PRODUCTS, tmp_path / "index", 256)
    assert mine.read_text() == "mine"


def test_one_of_another_model_is_refused(model: Path, tmp_path: Path) -> None:
    build_index(Encoder.load(model), model, PRODUCTS, tmp_path / "index", 256)
    about: dict[str, Any] = json.loads((tmp_path / "index" / ABOUT).read_text())
    assert (about["task"], about["products"], about["width"]) == ("search", 23, 16)
    other = shutil.copytree(model, tmp_path / "other")
    (other / "model.safetensors").write_bytes(b"other weights")
    with pytest.raises(ModelError, match="found one of another"):
        load_index(tmp_path / "index", other)
    assert (tmp_path / "index" / VECTORS).is_file()


def test_an_approximate_index_has_cells(model: Path, tmp_path: Path) -> None:
    pytest.importorskip("faiss")
    found = build_index(Encoder.load(model), model, PRODUCTS, tmp_path / "index", 256, approximate=0.9)
    assert found.cells is not None
    assert found.cells.share >= 0.9
    assert load_index(tmp_path / "index", model).cells is not None
