import pytest

from shopguide.inference.span_evaluation import score_spans, score_values
from shopguide.tasks.task import Examples
from shopguide.text.tags import Span


def asked(*rows: tuple[str, list[str]]) -> Examples:
    names = [name for name, _ in rows]
    return Examples(first=names, second=names, values=[values for _, values in rows], groups=names)


def test_values_are_counted_as_published() -> None:
    """NN, NV, VN, VW, VC: precision VC / (NV + VW + VC), recall VC / (VN + VW + VC)."""
    examples = asked(("a", []), ("a", []), ("a", ["x"]), ("a", ["x"]), ("b", ["x", " y "]), ("b", ["x"]))
    scores = score_values(examples, [None, "x", None, "z", "y", "X"], intervals=False).metrics
    assert scores["precision"] == pytest.approx(1 / 4)
    assert scores["recall"] == pytest.approx(1 / 4)
    assert scores["f1/b"] == pytest.approx(2 * 1 / (2 + 2))
    assert scores["f1/a"] == 0
    assert scores["macro_f1"] == pytest.approx(0.25)


def test_an_attribute_of_which_nothing_is_said_does_not_count() -> None:
    assert set(score_values(asked(("a", []), ("b", ["x"])), [None, "x"], intervals=False).metrics) == {
        "f1", "precision", "recall", "macro_f1", "f1/b",
    }  # fmt: skip


def test_spans_with_intervals_around_them() -> None:
    spans = [[Span(0, 3, "brand")], [Span(0, 3, "brand"), Span(4, 6, "size")], []] * 20
    found = [[Span(0, 3, "brand")], [Span(0, 3, "size")], [Span(0, 1, "size")]] * 20
    examples = Examples(first=["x"] * 60, spans=list(spans), groups=[str(i) for i in range(60)])
    scores = score_spans(examples, found)
    assert scores.metrics["f1"] == pytest.approx(2 * 20 / (60 + 60))
    for name, (low, high) in scores.intervals.items():
        assert low <= scores.metrics[name] <= high
    assert scores.intervals["f1"][0] < scores.intervals["f1"][1]


def test_no_examples() -> None:
    assert score_spans(Examples(spans=[]), []).metrics["f1"] == 0
