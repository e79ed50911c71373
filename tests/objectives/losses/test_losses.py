import subprocess
import sys

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from shopguide.objectives.losses.class_balanced import ClassBalanced
from shopguide.objectives.losses.cross_entropy import CrossEntropy
from shopguide.objectives.losses.focal import Focal
from shopguide.objectives.losses.loss import Labelled

LOGITS = torch.tensor([[2.0, -1.0, 0.5], [0.1, 0.2, 0.3], [-3.0, 4.0, 0.0], [0.0, 0.0, 0.0]])
TRUTH = torch.tensor([0, 2, 0, 1])
COUNTS = torch.tensor([100, 10, 1])
LOSSES = [CrossEntropy(), ClassBalanced(beta=0.0), Focal(gamma=0.0)]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_at_their_neutral_setting_all_are_cross_entropy(loss: CrossEntropy, smoothing: float) -> None:
    expected = cross_entropy(LOGITS, TRUTH, label_smoothing=smoothing)
    torch.testing.assert_close(loss(LOGITS, Labelled(TRUTH, COUNTS, smoothing)), expected)


def test_class_balanced_weights_by_effective_numbers() -> None:
    beta = 0.9
    effective = torch.tensor([(1 - beta**n) / (1 - beta) for n in (100, 10, 1)], dtype=torch.double)
    expected = (1 / effective) * 3 / (1 / effective).sum()
    weights = ClassBalanced(beta=beta).weights(COUNTS)
    torch.testing.assert_close(weights, expected)
    own = ClassBalanced(beta=beta)(LOGITS, Labelled(TRUTH, COUNTS))
    each = cross_entropy(LOGITS, TRUTH, reduction="none") * expected[TRUTH].float()
    torch.testing.assert_close(own, each.sum() / expected[TRUTH].sum().float())


def test_a_class_without_examples_weighs_nothing_and_breaks_nothing() -> None:
    weights = ClassBalanced(beta=0.99).weights(torch.tensor([5, 0, 5]))
    assert weights.tolist() == pytest.approx([1.0, 0.0, 1.0])


def test_focal_is_its_formula_and_its_gradient_exists_where_p_is_one() -> None:
    p = LOGITS.softmax(-1)[torch.arange(4), TRUTH]
    torch.testing.assert_close(Focal(gamma=2.0)(LOGITS, Labelled(TRUTH, COUNTS)), (-((1 - p) ** 2) * p.log()).mean())
    sure = (one_hot(TRUTH, 3) * 200.0).requires_grad_()
    Focal(gamma=0.5)(sure, Labelled(TRUTH, COUNTS)).backward()
    assert bool(sure.grad.isfinite().all())


def test_options_are_checked_without_torch() -> None:
    code = "import sys, shopguide.objectives.losses.focal, shopguide.objectives.losses.class_balanced as c, "
    code += "shopguide.objectives.losses.cross_entropy; c.ClassBalanced(beta=0.5); print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
