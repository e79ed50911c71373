from pathlib import Path

import numpy as np
import pytest
import pytrec_eval

from shopguide.inference.retrieval import fused, retrieval_scores, without
from shopguide.inference.vectors import Vectors
from shopguide.tasks.bm25 import bm25, bm25_search
from shopguide.tasks.task import Catalogue, Examples


def asked(wanted: list[dict[str, float]], items: int) -> Examples:
    ids = [str(i) for i in range(len(wanted))]
    catalogue = Catalogue([f"I{i}" for i in range(items)], [""] * items)
    return Examples(first=ids, split=["test"] * len(ids), groups=ids, wanted=wanted, catalogue=catalogue)


def test_as_trec_eval_counts_over_the_whole_catalogue() -> None:
    draw = np.random.default_rng(0)
    wanted = [{f"I{i}": float(draw.integers(0, 3)) for i in draw.choice(300, 12, replace=False)} for _ in range(40)]
    wanted[3] = {}
    rows = np.stack([draw.permutation(300)[:100] for _ in wanted])
    scores = -np.sort(-draw.random(rows.shape), axis=1)
    found = retrieval_scores(asked(wanted, 300), (rows, scores))
    judged = {str(q): {item: int(gain) for item, gain in worth.items()} for q, worth in enumerate(wanted)}
    judged = {q: worth for q, worth in judged.items() if any(worth.values())}
    run = {q: {f"I{row}": float(s) for row, s in zip(rows[int(q)], scores[int(q)], strict=True)} for q in judged}
    reference = pytrec_eval.RelevanceEvaluator(judged, {"ndcg_cut_10", "recall_10", "recall_100"}).evaluate(run)
    for name, theirs in (("ndcg_at_10", "ndcg_cut_10"), ("recall_at_10", "recall_10"), ("recall_at_100", "recall_100")):
        expected = np.mean([values[theirs] for values in reference.values()])
        assert found.metrics[name] == pytest.approx(expected, abs=1e-6)
        low, high = found.intervals[name]
        assert low <= found.metrics[name] <= high
    assert found.count == len(judged)


def test_queries_without_a_product_that_is_worth_something() -> None:
    rows = np.zeros((2, 3), dtype=np.int64) + np.arange(3)
    found = retrieval_scores(asked([{}, {"I1": 0.0}], 5), (rows, np.ones((2, 3))))
    assert found.count == 0
    assert set(found.metrics.values()) == {0.0}


@pytest.mark.parametrize("at_once", [1, 7, 1 << 20])
def test_the_nearest_are_exact(at_once: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("shopguide.inference.vectors.AT_ONCE", at_once)
    draw = np.random.default_rng(0)
    queries, matrix = draw.normal(size=(9, 4)).astype(np.float32), draw.normal(size=(50, 4)).astype(np.float32)
    Vectors(Catalogue([str(i) for i in range(50)], [f"text {i}" for i in range(50)]), matrix).save(tmp_path)
    again = Vectors.load(tmp_path)
    assert again is not None
    assert again.products.texts[7] == "text 7"
    rows, scores = again.nearest(queries, 5)
    full = queries @ matrix.T
    np.testing.assert_array_equal(rows, np.argsort(-full, axis=1)[:, :5])
    np.testing.assert_allclose(scores, -np.sort(-full, axis=1)[:, :5], rtol=1e-5)
    assert again.nearest(queries, 99)[0].shape == (9, 50)
    assert again.nearest(queries[:0], 5)[0].shape == (0, 5)
    assert Vectors.load(tmp_path / "none") is None


def test_words_find_only_what_has_them() -> None:
    corpus = ["red boot", "blue boot boot", "登山 鞋", "lamp"]
    rows, scores = bm25_search(corpus, ["boot", "鞋", "", "nothing"], 3)
    assert [[int(row) for row in own if row >= 0] for own in rows] == [[1, 0], [2], [], []]
    assert (np.diff(scores[0]) <= 0).all()


def test_a_catalogue_without_words() -> None:
    for corpus in (["", ""], []):
        rows, scores = bm25_search(corpus, ["boot"], 3)
        assert rows.shape == scores.shape == (1, len(corpus))
        assert (rows == -1).all()
    assert bm25_search(["", "boot"], ["boot"], 2)[0].tolist() == [[1, -1]]
    assert bm25([], ["boot", "a"], ["", ""]).tolist() == [0, 0]


def test_fusion_by_reciprocal_ranks() -> None:
    one, other = np.array([[4, 7, 9]]), np.array([[7, 5, -1]])
    rows, scores = fused((one, np.zeros((1, 3))), (other, np.zeros((1, 3))))
    assert rows.tolist() == [[7, 4, 5]]
    assert scores[0] == pytest.approx([1 / 62 + 1 / 61, 1 / 61, 1 / 62])


def test_what_is_left_out_makes_room_for_the_next() -> None:
    found = np.array([[4, 2, 7, 1], [3, 5, -1, -1]]), np.array([[9.0, 8.0, 7.0, 6.0], [5.0, 4.0, 0.0, 0.0]])
    rows, scores = without(found, [{2}, {3, 5}], 3)
    assert rows.tolist() == [[4, 7, 1], [-1, -1, -1]]
    assert scores.tolist() == [[9, 7, 6], [0, 0, 0]]
