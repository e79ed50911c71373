import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, f1_score

from shopguide.metrics.bootstrap import bootstrap_intervals, weighted_scores
from shopguide.metrics.classification import classification_metrics


def sample(rows: int, classes: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, classes, rows)
    logits = draw.normal(size=(rows, classes)) + 1.5 * np.eye(classes)[truth]
    return torch.from_numpy(logits).softmax(-1), torch.from_numpy(truth)


@pytest.mark.parametrize("classes", [2, 3, 12, 100])
def test_equals_scikit_learn(classes: int) -> None:
    posterior, truth = sample(150, classes)
    guess = posterior.argmax(-1)
    found = classification_metrics(posterior, truth)
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, guess))
    assert found["macro_f1"] == pytest.approx(f1_score(truth, guess, average="macro"))
    assert found["weighted_f1"] == pytest.approx(f1_score(truth, guess, average="weighted"))


def test_calibration_error_by_hand() -> None:
    posterior = torch.tensor([[0.9, 0.1]] * 4 + [[0.4, 0.6]] * 2)
    truth = torch.tensor([0, 0, 0, 1, 1, 0])
    assert classification_metrics(posterior, truth)["ece"] == pytest.approx(
        (4 * abs(0.75 - 0.9) + 2 * abs(0.5 - 0.6)) / 6
    )


def test_unlabelled_rows_do_not_count_and_unknown_classes_are_wrong() -> None:
    posterior, truth = sample(60, 4)
    ignored = torch.cat([truth, torch.tensor([-100] * 5)])
    padded = torch.cat([posterior, posterior[:5]])
    assert classification_metrics(padded, ignored) == classification_metrics(posterior, truth)
    unknown = torch.cat([truth, torch.tensor([4, 5])])
    widened = torch.cat([posterior, posterior[:2]])
    right = int((posterior.argmax(-1) == truth).sum())
    assert classification_metrics(widened, unknown)["accuracy"] == pytest.approx(right / 62)


def test_weighted_scores_equal_repeating_the_rows() -> None:
    draw = np.random.default_rng(1)
    truth, guess, weight = draw.integers(0, 5, 80), draw.integers(0, 5, 80), draw.integers(0, 4, 80)
    rows = np.repeat(np.arange(80), weight)
    expected = (
        accuracy_score(truth[rows], guess[rows]),
        f1_score(truth[rows], guess[rows], average="macro"),
        f1_score(truth[rows], guess[rows], average="weighted"),
    )
    assert weighted_scores(truth, guess, weight.astype(float), 5) == pytest.approx(expected)


def test_interval_of_independent_rows_is_the_binomial_one() -> None:
    truth = np.zeros(400, dtype=int)
    guess = (np.arange(400) < 100).astype(int)
    low, high = bootstrap_intervals(truth, guess, [str(i) for i in range(400)])["accuracy"]
    width = 1.96 * np.sqrt(0.75 * 0.25 / 400)
    assert (low, high) == pytest.approx((0.75 - width, 0.75 + width), abs=0.01)


def test_rows_of_one_group_move_together() -> None:
    truth = np.zeros(400, dtype=int)
    guess = (np.arange(400) < 100).astype(int)
    alone = bootstrap_intervals(truth, guess, [str(i) for i in range(400)])["accuracy"]
    grouped = bootstrap_intervals(truth, guess, [str(i // 50) for i in range(400)])["accuracy"]
    assert grouped[1] - grouped[0] > 3 * (alone[1] - alone[0])
