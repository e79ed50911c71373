"""Several labels a text: learnt from behaviours, answered, evaluated."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.metrics import precision_recall_fscore_support
from torch.nn.functional import binary_cross_entropy_with_logits
from transformers import AutoConfig, AutoModelForSequenceClassification

from shopguide.checks import parse_config
from shopguide.config import OptimizerConfig
from shopguide.errors import ConfigError, DataError
from shopguide.experiment.evaluate import evaluate_run
from shopguide.experiment.heads.multilabel import HEAD
from shopguide.experiment.run import run_experiment
from shopguide.inference.export import TOLERANCE, export
from shopguide.inference.labeller import Labeller
from shopguide.inference.load import load_model
from shopguide.inference.onnx import OnnxLabeller
from shopguide.inference.span_evaluation import score_labels
from shopguide.models.unpadded import padded_inputs
from shopguide.objectives.multilabel import MultiLabel
from shopguide.records.partition import partition
from shopguide.runs.store import Store, open_store
from shopguide.tasks.need import Need
from shopguide.tasks.regression import probe
from shopguide.tasks.task import Examples
from tests.conftest import TINY, tiny_settings
from tests.records.shops import load, write_lines, write_shop


class Trained:
    def __init__(self, folder: Path) -> None:
        kinds = ("boots", "phones", "chairs", "lamps")
        products = [{"item_id": kind, "title": kind, "category": kind} for kind in kinds]
        draw = np.random.default_rng(0)
        behaviours = []
        for i in range(300):
            wanted = [str(kind) for kind in draw.permutation(kinds)[: 1 + i % 2]]
            query = " and ".join([*wanted, str(i)])
            behaviours.append({"query": query, "purchased_items": wanted, "user_id": f"U{i}", "timestamp": i})
        root = write_shop(folder / "shop", products, [])
        write_lines(root / "behaviours.jsonl", behaviours)
        self.settings = tiny_settings(
            folder,
            **{
                "phases": ["finetune"],
                "lr": 5e-3,
                "epochs": 20,
                "data.reader": "files",
                "data.root": root,
                "data.options": {},
                "finetune.batch.size": 8,
                "tasks": {"need": {"target": "shopguide.tasks.need.Need", "several": True}},
            },
        )
        self.config = parse_config(self.settings)
        self.run_id = run_experiment(self.config).run_id
        self.store: Store = open_store(None, "shopguide", folder / "mlruns")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return Trained(tmp_path_factory.mktemp("labels"))


def test_learnt_and_scored_beside_baselines(trained: Trained) -> None:
    (run,) = trained.store.find_children(trained.run_id)
    assert run.data.metrics["test/f1"] > 0.6
    assert run.data.metrics["tfidf_lr/f1"] > 0.8
    assert run.data.metrics["majority/f1"] < 0.5
    found = evaluate_run(trained.store, trained.run_id, None, trained.config.data, "test", 64)["need"]
    assert found["f1"]["value"] == pytest.approx(run.data.metrics["test/f1"])


def test_answers_are_labels_of_one_half_and_more(trained: Trained) -> None:
    model = load_model(trained.store.task_model(trained.run_id, "need"))
    assert isinstance(model, Labeller)
    assert sorted(model.labels) == ["boots", "chairs", "lamps", "phones"]
    both, one = model.predict([{"query": "boots and lamps 7"}, {"query": "phones 8"}])
    for answer in (both, one):
        assert set(answer["posterior"]) == set(model.labels)
        assert answer["labels"] == [label for label, share in answer["posterior"].items() if share >= 0.5]
    assert model.posterior([]).shape == (0, 4)
    together = model.posterior(["boots", "a very long query about phones and lamps", ""])
    np.testing.assert_allclose(together[0], model.posterior(["boots"])[0], atol=1e-5)


def test_a_probe_is_a_regression_a_label(trained: Trained) -> None:
    model = load_model(trained.store.task_model(trained.run_id, "need"), precision=32)
    assert isinstance(model, Labeller)
    queries = [f"{one} and {other}" for one in model.labels for other in model.labels if one != other] * 4
    said = [sorted(query.split(" and ")) for query in queries]
    train = Examples(first=queries, values=said)
    states = model.pooled(queries)
    HEAD.probe(model, train)
    posterior = model.posterior(queries)
    for place, label in enumerate(model.labels):
        given = np.array([label in some for some in said], dtype=np.int64)
        weights, biases = probe(states, given, 2, True, 0.1)  # the dropout before the last layer of a BERT
        expected = softmax(states @ weights.T + biases, axis=1)[:, 1]
        np.testing.assert_allclose(posterior[:, place], expected, atol=0.02)


def test_exported_it_answers_the_same(trained: Trained, tmp_path: Path) -> None:
    source = trained.store.task_model(trained.run_id, "need")
    found = export(source, tmp_path / "onnx")
    assert found.difference < TOLERANCE
    assert found.agreement == 1
    exported = load_model(tmp_path / "onnx")
    assert isinstance(exported, OnnxLabeller)
    texts = ["boots and lamps 7", "phones 8", "ein Stuhl"]
    original = load_model(source)
    assert isinstance(original, Labeller)
    np.testing.assert_allclose(exported.posterior(texts), original.posterior(texts), atol=TOLERANCE)
    records = [{"query": text} for text in texts]
    assert [a["labels"] for a in exported.predict(records)] == [a["labels"] for a in original.predict(records)]
    assert exported.posterior([]).shape == (0, 4)


def test_the_loss_is_that_of_transformers() -> None:
    torch.manual_seed(0)
    shape = AutoConfig.for_model(**TINY, vocab_size=50, num_labels=3, problem_type="multi_label_classification")
    model = AutoModelForSequenceClassification.from_config(shape).eval()
    ids = torch.randint(5, 50, (4, 6))
    targets = torch.tensor([[0, 1, 1], [0, 0, 0], [1, 0, 0], [1, 1, 1]])
    batch = {"input_ids": ids, "attention_mask": torch.ones_like(ids), "lengths": [6] * 4, "targets": targets}
    usual = model(**padded_inputs(batch), labels=targets.float())
    torch.testing.assert_close(MultiLabel(model, OptimizerConfig(lr=1e-3)).loss(batch), usual.loss)
    smooth = binary_cross_entropy_with_logits(usual.logits, targets * 0.8 + 0.1)
    torch.testing.assert_close(MultiLabel(model, OptimizerConfig(lr=1e-3), 0.2).loss(batch), smooth)


def test_scores_are_scikit_learns() -> None:
    draw = np.random.default_rng(0)
    truth, guess = draw.random((2, 80, 4)) < 0.4
    names = list("abcd")
    said, found = ([[names[i] for i in np.flatnonzero(row)] for row in matrix] for matrix in (truth, guess))
    texts = [str(i) for i in range(80)]
    own = score_labels(Examples(first=texts, values=said, groups=texts), found, intervals=False).metrics
    for average, prefix in (("micro", ""), ("macro", "macro_")):
        precision, recall, f1, _ = precision_recall_fscore_support(truth, guess, average=average)
        assert own[f"{prefix}f1"] == pytest.approx(f1)
        if average == "micro":
            assert [own["precision"], own["recall"]] == pytest.approx([precision, recall])


def test_what_it_does_not_know_is_told(trained: Trained, tmp_path: Path) -> None:
    settings = {**trained.settings, "finetune": {**trained.settings["finetune"], "r_drop": 1.0}}
    with pytest.raises(ConfigError, match=r"with several labels, expected loss=cross_entropy and finetune.r_drop=0"):
        run_experiment(parse_config(settings))
    bare = load(write_shop(tmp_path / "bare", behaviours=[{"query": "a"}]))
    parts = partition(bare, "group", (0.8, 0.1, 0.1), 0)
    with pytest.raises(DataError, match=r"It needs behaviours with purchased_items"):
        Need(name="need", several=True).checked_examples(bare, parts, None)
