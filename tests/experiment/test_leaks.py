import json
from pathlib import Path

import numpy as np
import pytest

from shopguide.build import build_task
from shopguide.checks import parse_config
from shopguide.config import Config
from shopguide.errors import DataError
from shopguide.experiment.leaks import guard, leak_metrics
from shopguide.experiment.prepare import load_material
from tests.conftest import Finished, tiny_settings

NOUNS = ["kettle", "lantern", "hammock", "toaster", "suitcase", "raincoat"]


def shop_with_doubles(folder: Path, doubles: int, max_leak: float | None = 0.1) -> Config:
    """120 titles that have nothing in common, and some of them once more with one word moved."""
    rows = []
    for number in range(120):
        words = [f"{NOUNS[(number * k) % 6]}{number * k * 7919 % 1009}" for k in (1, 2, 3, 4)]
        rows.append({"item_id": f"I{number}", "title": " ".join(words), "category": NOUNS[number % 2]})
        if number < doubles:
            rows.append({**rows[-1], "item_id": f"D{number}", "title": " ".join(words).upper() + "!"})
    folder.mkdir()
    (folder / "products.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    data = {"data.reader": "files", "data.root": str(folder), "data.options": {}, "data.targets": ["category"]}
    split = {"by": "group", "fractions": [0.5, 0.25, 0.25], "seed": 0}
    return parse_config(tiny_settings(folder, **data, **{"data.split": split, "data.max_leak": max_leak}))


def test_planted_doubles_are_refused_and_told(tmp_path: Path) -> None:
    config = shop_with_doubles(tmp_path / "leaky", doubles=120)
    material = load_material(config.data)
    task = build_task("features", config.tasks["features"])
    labelled = [(task, task.checked_examples(material.shop, material.parts, None))]
    with pytest.raises(DataError) as told:
        guard(config, material, labelled)
    message = str(told.value)
    assert "data.max_leak=0.1: expected at most 10.0% of the held-out texts" in message
    assert "features/test_in_train" in message
    assert "but for case and punctuation" in message
    assert "!'" in message, "a pair is shown"


@pytest.mark.parametrize(("held_out", "told_of"), [(("dev", "test"), "test"), (("dev",), "dev")])
def test_the_doubles_of_the_last_split_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], held_out: tuple[str, ...], told_of: str
) -> None:
    config = shop_with_doubles(tmp_path / "leaky", doubles=120, max_leak=None)
    material = load_material(config.data)
    task = build_task("features", config.tasks["features"])
    examples = task.checked_examples(material.shop, material.parts, None)
    examples = examples.take(np.array([i for i, own in enumerate(examples.split) if own in ("train", *held_out)]))
    guard(config, material, [(task, examples)])
    told = capsys.readouterr().out
    assert f"leak features/{told_of}_in_train: " in told
    assert told.count("_in_train") == 1


def test_a_clean_shop_passes(tmp_path: Path) -> None:
    config = shop_with_doubles(tmp_path / "clean", doubles=0)
    material = load_material(config.data)
    task = build_task("features", config.tasks["features"])
    found = guard(config, material, [(task, task.checked_examples(material.shop, material.parts, None))])
    assert {leak.near for leak in found.values()} == {0}
    assert set(leak_metrics(found)) >= {"leak/features/test_in_train", "leak/features/dev_in_pretraining.near"}


def test_counts_stand_on_the_run(finished: Finished) -> None:
    metrics = finished.store.client.get_run(finished.run_id).data.metrics
    for task in ("need", "features", "relevance"):
        exact, same, near = (metrics[f"leak/{task}/test_in_train.{kind}"] for kind in ("exact", "same", "near"))
        assert exact <= same <= near
    assert 0 < metrics["leak/need/test_in_train"] < 1, "shoppers ask what others have asked"
