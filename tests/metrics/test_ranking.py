import numpy as np
import pytest
import pytrec_eval
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score

from shopguide.metrics.ranking import NAMES, Ranked, Ranking
from shopguide.tasks.graded import ESCI_GAINS

TREC = {
    "ndcg": "ndcg",
    "ndcg@3": "ndcg_cut_3",
    "map": "map",
    "map@3": "map_cut_3",
    "mrr": "recip_rank",
    "recall@3": "recall_3",
    "precision@3": "P_3",
    "hr@3": "success_3",
}
ROWS = st.lists(
    st.tuples(
        st.integers(0, 4),
        st.integers(0, 9),
        st.one_of(st.none(), st.integers(-3, 3).map(float)),
        st.one_of(st.none(), st.integers(0, 3)),
    ),
    max_size=60,
    unique_by=lambda row: row[:2],
)
"""Few queries, products and scores: many ties."""


def ranked(rows: list[tuple[int, int, float | None, int | None]]) -> Ranked:
    columns = list(zip(*rows, strict=True)) if rows else [()] * 4
    scores, gains = (np.array([np.nan if v is None else v for v in column], dtype=float) for column in columns[2:])
    return Ranked.of([f"q{q}" for q in columns[0]], [f"i{i}" for i in columns[1]], scores, gains)


@settings(deadline=None, max_examples=150)
@given(ROWS)
def test_as_trec_eval_counts(rows: list[tuple[int, int, float | None, int | None]]) -> None:
    judged: dict[str, dict[str, int]] = {}
    run: dict[str, dict[str, float]] = {}
    for query, item, score, gain in rows:
        if gain is not None:
            judged.setdefault(f"q{query}", {})[f"i{item}"] = gain
        if score is not None:
            run.setdefault(f"q{query}", {})[f"i{item}"] = score
    measures = {"ndcg", "ndcg_cut.3", "map", "map_cut.3", "recip_rank", "recall.3", "P.3", "success.3"}
    reference = pytrec_eval.RelevanceEvaluator(judged, measures).evaluate(run) if judged and run else {}
    found = ranked(rows)
    for name, theirs in TREC.items():
        own = dict(zip(found.names.tolist(), found.per_query(name), strict=True))
        for query, values in reference.items():
            assert own[query] == pytest.approx(values[theirs], abs=1e-6), (name, query)
        assert all(own[query] == 0 for query in own if query not in reference)


def test_official_gains_of_esci() -> None:
    draw = np.random.default_rng(0)
    labels = draw.choice(list(ESCI_GAINS), (50, 20))
    gains, scores = np.vectorize(ESCI_GAINS.get)(labels), draw.normal(size=(50, 20))
    queries, items = np.divmod(np.arange(1000), 20)
    found = Ranked.of(queries, items, scores.ravel(), gains.ravel()).per_query("ndcg@10")
    theirs = [ndcg_score(g[None], s[None], k=10) for g, s in zip(gains, scores, strict=True)]
    np.testing.assert_allclose(found, theirs, atol=1e-9)


def test_a_gain_below_nothing_is_none() -> None:
    assert ranked([(0, 0, 2.0, -1), (0, 1, 1.0, 1)]).per_query("ndcg")[0] == pytest.approx(1 / np.log2(3))
    assert ranked([(0, 0, 2.0, -1), (1, 1, None, 1)]).per_query("ndcg").tolist() == [0, 0]


def test_what_was_not_retrieved_counts_as_missed() -> None:
    found = ranked([(0, 0, 1.0, 1), (0, 1, None, 1), (0, 2, 2.0, None)])
    assert found.per_query("recall@9").tolist() == [0.5]
    assert found.per_query("mrr").tolist() == [0.5]
    assert found.per_query("ndcg")[0] == pytest.approx((1 / np.log2(3)) / (1 + 1 / np.log2(3)))


def test_a_constant_score_gains_nothing_from_the_order_of_the_rows() -> None:
    rows = [(0, 0, 1.0, 3), (0, 1, 1.0, 0), (0, 2, 1.0, 0)]
    assert ranked(rows).per_query("mrr").tolist() == ranked(rows[::-1]).per_query("mrr").tolist() == [1 / 3]


def test_batches_are_gathered_and_no_query_is_no_number() -> None:
    draw = torch.Generator().manual_seed(0)
    queries, items = torch.arange(300) // 10, torch.arange(300) % 10
    scores, gains = torch.rand(300, generator=draw), torch.randint(0, 3, (300,), generator=draw).float()
    metric = Ranking()
    for rows in torch.arange(300).split(7):
        metric.update(queries[rows], items[rows], scores[rows], gains[rows])
    whole = Ranked.of(queries.numpy(), items.numpy(), scores.numpy(), gains.numpy())
    for name, value in metric.compute().items():
        assert float(value) == pytest.approx(whole.per_query(name).mean())
    metric.reset()
    metric.update(*(torch.zeros(0) for _ in range(4)))
    assert all(torch.isnan(value) for value in metric.compute().values())
    assert set(metric.compute()) == set(NAMES)


@pytest.mark.parametrize("name", ["ndcg@0", "precision", "auc", "ndcg@"])
def test_a_metric_that_there_is_not(name: str) -> None:
    with pytest.raises(ValueError, match=f"metric {name}: expected ndcg"):
        ranked([(0, 0, 1.0, 1)]).per_query(name)


def test_columns_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="each product once a query, found one twice"):
        Ranked.of([0, 0], [1, 1], np.zeros(2), np.zeros(2))
    with pytest.raises(ValueError, match="one length, found 2, 1, 2 and 2"):
        Ranked.of([0, 0], [1], np.zeros(2), np.zeros(2))
