"""A task learnt through the masked-LM head, from pretraining to answers."""

import sys
from pathlib import Path

import numpy as np
import pytest

from shopguide import train
from shopguide.checks import parse_config
from shopguide.errors import ConfigError
from shopguide.experiment.evaluate import evaluate_run
from shopguide.experiment.run import run_experiment
from shopguide.inference import network
from shopguide.inference.load import load_model
from shopguide.inference.prompt_predictor import PromptPredictor
from shopguide.runs.store import open_store
from tests.conftest import tiny_settings
from tests.records.shops import write_lines


def settings(folder: Path, **changes: object) -> dict[str, object]:
    draw = np.random.default_rng(0)
    rows = []
    for i in range(240):
        good = bool(draw.random() < 0.5)
        liked = str(draw.choice(["nice", "great", "lovely"] if good else ["awful", "broken", "cheap"]))
        title = f"{'good' if good else 'bad'} buy the shoe {i} is {liked}"
        rows.append({"item_id": str(i), "title": title, "attributes": {"mood": "Positive" if good else "Negative"}})
    (folder / "shop").mkdir()
    write_lines(folder / "shop" / "products.jsonl", rows)
    return tiny_settings(
        folder,
        **{
            "lr": 3e-3,
            "epochs": 40,
            "trainer.precision": "32-true",
            "finetune.batch.size": 8,
            "pretrain.epochs": 2,
            "pretrain.documents": ["products"],
            "pretrain.fields": ["title"],
            "data.reader": "files",
            "data.root": folder / "shop",
            "data.options": {},
            "data.split.by": "group",
            "tasks": {"features": {"target": "shopguide.tasks.features.Features", "targets": ["mood"]}},
            "finetune.prompt": {"template": "[MASK] : {text}", "words": {"Positive": "good", "Negative": "bad"}},
            **changes,
        },
    )


def test_from_pretraining_to_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = parse_config(settings(tmp_path))
    outcome = run_experiment(config)
    assert outcome.metrics["features/accuracy"] > 0.7
    store = open_store(None, "shopguide", tmp_path / "mlruns")
    model = load_model(store.task_model(outcome.run_id, "features"))
    assert isinstance(model, PromptPredictor)
    (good,) = model.predict([{"title": "the shoe is great, good buy"}])
    assert set(good["posterior"]) == {"Positive", "Negative"}
    assert sum(good["posterior"].values()) == pytest.approx(1, abs=1e-5)
    texts = ["the shoe is great, good buy", "bad buy, broken", "shoe 7"] * 5
    monkeypatch.setattr(network, "good_at_bf16", lambda device: device == "cpu")
    monkeypatch.setattr(network, "MANY", 1)
    exact, half = (
        PromptPredictor.load(store.task_model(outcome.run_id, "features"), precision=p) for p in (32, "auto")
    )
    for target, posterior in half.posterior(texts).items():
        np.testing.assert_allclose(posterior, exact.posterior(texts)[target], atol=0.02)
    found = evaluate_run(store, outcome.run_id, "features", config.data, "test", 64)["features"]
    assert found["accuracy"]["value"] == pytest.approx(outcome.metrics["features/accuracy"])


def test_several_targets_are_refused(tmp_path: Path) -> None:
    several = settings(tmp_path, phases=["finetune"])
    several["tasks"]["features"]["targets"] = ["mood", "category"]  # type: ignore[index]
    rows = [{"item_id": f"c{i}", "title": f"t {i}", "category": "ab"[i % 2]} for i in range(60)]
    with (tmp_path / "shop" / "products.jsonl").open("a") as file:
        file.write(write_lines(tmp_path / "more.jsonl", rows).read_text())
    with pytest.raises(ConfigError, match=r"task `features` has several targets \(mood, category\), expected one"):
        run_experiment(parse_config(several))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("finetune.prompt={tmplate:x}", "finetune: prompt: expected template and words, found tmplate"),
        ("finetune.prompt={template:'[MASK]{text}'} finetune.shared=true", "prompt and shared"),
    ],
)
def test_mistakes(
    arguments: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["train", *arguments.split()])
    with pytest.raises(SystemExit):
        train.main()
    assert message in capsys.readouterr().err
