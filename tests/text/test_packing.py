import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shopguide.text.packing import AHEAD, best_fit


@settings(deadline=None, max_examples=100)
@given(st.lists(st.integers(0, 60), max_size=200), st.integers(1, 150), st.integers(1, 30))
def test_every_document_once_within_the_bounds(lengths: list[int], tokens: int, rows: int) -> None:
    sizes = np.array(lengths, dtype=int)
    batches = list(best_fit(range(len(sizes)), sizes, tokens, rows))
    assert sorted(int(i) for batch in batches for i in batch) == list(range(len(sizes)))
    for batch in batches:
        assert len(batch) <= rows
        assert len(batch) == 1 or sizes[batch].sum() <= tokens


def test_the_budget_is_used_and_the_order_stays_random() -> None:
    draw = np.random.default_rng(0)
    sizes = np.clip(draw.lognormal(4, 0.7, 20_000).astype(int), 3, 128)
    batches = list(best_fit(draw.permutation(len(sizes)).tolist(), sizes, 2048, 2048))
    filled = sizes.sum() / (2048 * len(batches))
    assert filled > 0.995
    means = np.array([sizes[batch].mean() for batch in batches])
    assert means.std() < 1.3 * sizes.std() / np.sqrt(2048 / sizes.mean()), "no batch of only short or only long ones"


def test_the_longest_that_fits_fills_the_gap() -> None:
    sizes = np.array([6, 5, 3, 4, 1])
    assert [batch.tolist() for batch in best_fit(range(5), sizes, 10, 10)] == [[0, 3], [1, 2, 4]]


def test_nobody_waits_forever() -> None:
    sizes = np.array([60] + [10] * 20_000)
    batches = list(best_fit(range(len(sizes)), sizes, 60, 100))
    assert 0 in batches[0]
    late = np.array([10] * (3 * AHEAD) + [59] + [10] * 20_000)
    place = next(i for i, batch in enumerate(best_fit(range(len(late)), late, 60, 100)) if 3 * AHEAD in batch)
    assert place <= len(late)
    assert place < 3 * AHEAD * 10 / 60 + AHEAD
