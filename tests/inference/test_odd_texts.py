"""Texts as shops have them: a stated behaviour, no crash.

What is too long is cut off at `finetune.max_length`; a record without any text is refused by its number; all else is
answered. A label that training never showed is one that the model cannot give: it counts as wrong where it is scored.
"""

from pathlib import Path

import numpy as np
import pytest

from shopguide.config import DataConfig
from shopguide.errors import DataError
from shopguide.experiment.evaluate import evaluate_run
from shopguide.inference.predictor import Predictor
from shopguide.tasks.lexical import Lexical
from shopguide.tasks.task import Examples
from tests.conftest import Finished
from tests.records.shops import write_shop

LONG = "red boots 登山鞋 " * 700
ODD = {
    "long": LONG,
    "one long word": "x" * 10_000,
    "long Chinese": "鞋" * 10_000,
    "emoji": "👟👟🏽‍♀️ 🇨🇳",
    "right to left": "حذاء أحمر \u202eabc\u202c",
    "full-width": "ＲＥＤ　ｂｏｏｔｓ　１２３",
    "combining": "re\u0301d bo\u0308ots",
    "control": "a\u0000b\u0007c\u200b\ufeff",
    "blanks around": " \t red \n",
    "punctuation": "?!…",
    "a lone surrogate's place": "\ufffd",
}


@pytest.fixture(scope="module")
def features(finished: Finished) -> Predictor:
    return Predictor.load(finished.store.task_model(finished.run_id, "features"), precision=32)


@pytest.mark.parametrize("name", ODD)
def test_it_is_answered_alone_as_in_company(name: str, features: Predictor) -> None:
    (alone,) = features.predict([{"title": ODD[name]}])
    *_, together = features.predict([{"title": "Red boots"}, {"title": LONG}, {"title": ODD[name]}])
    for target, posterior in alone["posterior"].items():
        assert sum(posterior.values()) == pytest.approx(1, abs=1e-4)
        assert together["posterior"][target] == pytest.approx(posterior, abs=1e-4)


def test_what_is_too_long_is_cut_off(features: Predictor) -> None:
    long, longer = features.predict([{"title": LONG}, {"title": LONG + "手机 phone"}])
    assert long == longer


@pytest.mark.parametrize("empty", ["", "  ", None])
def test_a_record_without_text_is_refused_by_its_number(empty: str | None, features: Predictor) -> None:
    with pytest.raises(DataError, match=r"record 2: task `features` expected text in title or desc.*, found nothing"):
        list(features.predict([{"title": "a"}, {"title": empty}]))


def test_a_label_that_training_never_showed_is_never_right(finished: Finished, tmp_path: Path) -> None:
    """One product of a known category and one of a new one: both count, the second as wrong."""
    known = Predictor.load(finished.store.task_model(finished.run_id, "features")).card.targets["category"][0]
    rows = [
        {
            "item_id": str(i),
            "title": "Red boots",
            "category": category,
            "attributes": {"brand": "Brand new", "colour": "x"},
        }
        for i, category in enumerate([known, "never/seen"])
    ]
    root = write_shop(tmp_path / "shop", rows, [])
    data = DataConfig(name="files", reader="files", root=str(root), cache_dir=str(tmp_path / "cache"))
    found = evaluate_run(finished.store, finished.run_id, "features", data, "all", 64)["features"]
    assert found["examples"] == 2
    assert found["accuracy/brand"]["value"] == found["accuracy/colour"]["value"] == 0
    assert found["accuracy/category"]["value"] in (0.0, 0.5)


def test_the_lexical_branch_takes_them_too() -> None:
    texts = list(ODD.values())
    train = Examples(first=texts * 4, labels={"t": ["a", "b"] * (2 * len(texts))}, groups=texts * 4)
    labels = np.arange(len(train))[:, None] % 2
    posterior = Lexical.fit(train, labels, {"t": ["a", "b"]}).posterior([*texts, ""])["t"]
    np.testing.assert_allclose(posterior.sum(1), 1, rtol=1e-5)
