from pathlib import Path

import numpy as np
import pytest

from shopguide.inference import close_calls
from shopguide.inference.close_calls import measured
from shopguide.inference.onnx import ALONE, TOGETHER, OnnxPredictor
from shopguide.inference.second_look import Texts
from shopguide.tasks.lexical import Posteriors

SURE, UNSURE = [0.9, 0.1], [0.57, 0.43]


class Told(OnnxPredictor):
    """Says what a table says, shifted by another amount in company; what it decides is farther off."""

    def __init__(self, alone: float, together: float, decided: float = 0.0) -> None:
        self.alone, self.together, self.by = alone, together, decided

    def network_posterior(self, first: Texts, second: Texts | None = None, *, batch_tokens: int = 0) -> Posteriors:
        by = self.alone if len(first) == 1 else self.together
        return {"need": np.array([{"sure": SURE, "unsure": UNSURE}[text] for text in first]) + np.array([-by, by])}

    def decided(self, own: Posteriors, first: Texts, second: Texts | None) -> Posteriors:
        return {target: part + np.array([-self.by, self.by]) for target, part in own.items()}


@pytest.mark.parametrize(
    ("alone", "together", "decided", "expected"),
    [
        (0.01, 0.02, 0.0, (0.025, 0.06, 0.0)),  # two classes come nearer by twice the shift
        (0.05, 0.01, 0.0, (0.125, 0.125, 1 / 3)),  # company is held to be no better than being alone
        (0.01, 0.01, 0.03, (0.1, 0.12, 1 / 3)),  # by what is decided, 0.06 apart where the network says 0.12
    ],
)
def test_the_most_that_a_call_was_off_and_some_more(
    alone: float, together: float, decided: float, expected: tuple[float, float, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    rough = Told(alone, together, decided)
    rough.exact = Told(0.0, 0.0)
    monkeypatch.setattr(close_calls, "load_onnx", lambda folder: rough)
    found = measured(Path(), ["sure", "sure", "unsure"], None)
    assert (found.alone, found.together, found.again) == pytest.approx(expected)
    assert found.metadata == {ALONE: str(found.alone), TOGETHER: str(found.together)}
