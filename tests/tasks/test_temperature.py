import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from shopguide.tasks.temperature import temperature, tempered


def drawn(count: int, sharpness: float) -> tuple[np.ndarray, np.ndarray]:
    """Posteriors of a reader who is `sharpness` times too sure, and classes drawn from the true ones."""
    draw = np.random.default_rng(0)
    logits = draw.normal(size=(count, 4)) * 2
    true = torch.tensor(logits).softmax(-1).numpy()
    classes = np.array([draw.choice(4, p=row) for row in true])
    return torch.tensor(logits * sharpness).softmax(-1).numpy(), classes


def error(posterior: np.ndarray, truth: np.ndarray) -> float:
    return float(multiclass_calibration_error(torch.tensor(posterior), torch.tensor(truth), 4, norm="l1"))


@pytest.mark.parametrize("sharpness", [0.5, 1.0, 4.0])
def test_the_temperature_of_one_who_is_too_sure(sharpness: float) -> None:
    posterior, truth = drawn(4000, sharpness)
    found = temperature(posterior[:2000], truth[:2000])
    assert found == pytest.approx(sharpness, rel=0.1)
    after = tempered(posterior[2000:], found)
    assert error(after, truth[2000:]) < 0.04
    assert (after.argmax(1) == posterior[2000:].argmax(1)).all()
    np.testing.assert_allclose(after.sum(1), 1, rtol=1e-5)


def test_the_power_of_a_posterior() -> None:
    posterior, _ = drawn(5, 1.0)
    expected = torch.tensor(posterior).log().div(3).softmax(-1).numpy()
    np.testing.assert_allclose(tempered(posterior, 3.0), expected, rtol=1e-4)
    assert tempered(posterior, 1.0) is posterior
    assert tempered(posterior[:0], 3.0).shape == (0, 4)


def test_few_examples_say_little() -> None:
    wrong = np.array([[0.999, 0.001]])
    many = temperature(np.repeat(wrong, 50, 0), np.repeat(1, 50))
    assert 1 < temperature(wrong, np.array([1])) < many
    assert temperature(wrong[:0], np.array([], dtype=int)) == 1
    assert temperature(wrong, np.array([-1])) == 1
    assert temperature(wrong, np.array([2])) == 1  # a class that the model does not know
