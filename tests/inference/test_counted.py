import numpy as np
import pytest
from sklearn.metrics import precision_recall_fscore_support

from shopguide.inference.evaluation import counted_scores
from shopguide.tasks.task import Examples


def pairs(labels: list[str | None]) -> Examples:
    ids = [str(i) for i in range(len(labels))]
    return Examples(first=ids, labels={"same": labels}, split=["test"] * len(labels), groups=ids)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.9, 1.0])
def test_precision_recall_and_f1_of_one_class(share: float) -> None:
    draw = np.random.default_rng(0)
    truth, p = draw.random(200) < share, draw.random(200)
    found = counted_scores(
        pairs([str(int(one)) for one in truth]), {"same": ["0", "1"]}, {"same": np.stack([1 - p, p], 1)}, "1"
    )
    precision, recall, f1, _ = precision_recall_fscore_support(truth, p > 0.5, average="binary", zero_division=0)
    assert found.metrics == pytest.approx({"f1": f1, "precision": precision, "recall": recall})
    for name, (low, high) in found.intervals.items():
        assert low <= found.metrics[name] + 1e-9
        assert high >= found.metrics[name] - 1e-9


def test_pairs_without_a_label_do_not_count() -> None:
    said = {"same": np.array([[0.1, 0.9], [0.1, 0.9]])}
    found = counted_scores(pairs(["1", None]), {"same": ["0", "1"]}, said, "1")
    assert found.metrics["f1"] == found.metrics["precision"] == 1
    assert found.count == 1
