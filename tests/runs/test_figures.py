import numpy as np
import pytest

from shopguide.metrics.classification import classification_metrics
from shopguide.runs import comparing_figures, figures


def test_loss_curves_have_a_line_a_history() -> None:
    history = {"train/loss": [(i, 1 / (i + 1)) for i in range(50)], "dev/loss": [(10, 0.5)], "train/lr": [(0, 1.0)]}
    figure = figures.loss_curves(history, "pretraining")
    upper, lower = figure.axes
    assert upper.get_legend_handles_labels()[1] == ["train/loss", "dev/loss"]
    assert lower.get_ylabel() == "learning rate"


def test_confusion_matrix_shows_shares_of_the_true_class() -> None:
    figure = figures.confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), ["手机", "b"], "need")
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), [[0.5, 0.5], [0, 1]])
    assert sorted(t.get_text() for t in figure.axes[0].texts) == ["1", "1", "1"]


def test_of_many_classes_the_most_frequent_and_it_says_so() -> None:
    truth = np.repeat(np.arange(40), np.arange(40) + 1)
    figure = figures.confusion_matrix(truth, truth, [f"class {i}" for i in range(40)], "need")
    assert "30 most frequent of 40 classes" in figure.axes[0].get_title(loc="left")
    shown = [t.get_text() for t in figure.axes[0].get_yticklabels()]
    assert shown == [f"class {i}" for i in range(10, 40)]


def test_reliability_diagram_tells_the_calibration_error() -> None:
    import torch

    posterior = np.random.default_rng(0).dirichlet(np.ones(4), 300).astype(np.float32)
    truth = np.random.default_rng(1).integers(0, 4, 300)
    expected = classification_metrics(torch.from_numpy(posterior), torch.from_numpy(truth))["ece"]
    figure = figures.reliability_diagram(posterior, truth, "need")
    told = float(figure.axes[0].get_title(loc="left").rpartition(" ")[2])
    assert told == pytest.approx(expected, abs=2e-4)


def test_embedding_map_shows_the_principal_components() -> None:
    vectors = np.random.default_rng(0).normal(size=(60, 5)) * [5, 3, 1, 1, 1]
    figure = figures.embedding_map(vectors, ["a"] * 30 + ["手机"] * 30, "texts")
    share = vectors - vectors.mean(0)
    values = np.linalg.svd(share, compute_uv=False) ** 2
    assert f"({values[0] / values.sum():.0%} of the variance)" in figure.axes[0].get_xlabel()


def test_sweep_figure_has_a_bar_a_scored_job() -> None:
    rows = [
        {"settings": {"lr": "1e-4"}, "metrics": {"dev/score": 0.8}},
        {"settings": {"lr": "3e-4"}, "metrics": {"dev/score": 0.7}},
        {"settings": {"lr": "1"}, "metrics": {}},
    ]
    rows += [{"settings": {"lr": "1"}, "metrics": {"dev/score": value}} for value in (float("nan"), float("inf"))]
    axes = comparing_figures.sweep_figure(rows, "dev/score").axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.8, 0.7]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["lr=1e-4", "lr=3e-4"]


def test_score_bars_are_ranked_and_many_labels_are_cut_from_the_middle() -> None:
    few = {"f1": 0.5, "f1/品牌": 0.9, "f1/colour": 0.2, "f1/never": float("nan"), "recall/colour": 1.0}
    axes = figures.score_bars(few, {"f1/colour": (0.1, 0.4)}, "f1", "spans").axes[0]
    assert [round(bar.get_width(), 3) for bar in axes.patches] == [0.9, 0.2]
    many = {f"f1/{i}": i / 100 for i in range(80)}
    axes = figures.score_bars(many, {}, "f1", "spans").axes[0]
    widths = [bar.get_width() for bar in axes.patches]
    assert len(widths) == figures.MAX_CLASSES
    assert (max(widths), min(widths)) == (0.79, 0.0)
    assert "best and worst 15 of 80 labels" in axes.get_title(loc="left")
    assert not figures.score_bars({}, {}, "f1", "nothing").axes[0].patches
