import signal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shopguide.errors import RunError
from shopguide.text.batches import Batches, BatchLoader, loading_workers, own_share
from shopguide.text.examples import Collate, MaskedExamples
from shopguide.text.masking import Masker
from shopguide.text.plan import BatchPlan

LENGTHS = st.lists(st.integers(1, 200), min_size=1, max_size=300).map(np.array)


BUDGET = st.one_of(st.none(), st.integers(1, 2000))


@settings(deadline=None, max_examples=100)
@given(LENGTHS, st.integers(1, 40), BUDGET, st.integers(0, 9), st.booleans(), st.booleans())
def test_every_example_once_within_the_bounds(
    lengths: np.ndarray, size: int, tokens: int | None, epoch: int, shuffle: bool, unpadded: bool
) -> None:
    plan = BatchPlan(lengths, size, tokens, seed=1, shuffle=shuffle, unpadded=unpadded).of_epoch(epoch)
    assert sorted(np.concatenate(plan).tolist()) == list(range(len(lengths)))
    for batch in plan:
        assert len(batch) <= size
        counted = lengths[batch].sum() if unpadded and shuffle else len(batch) * lengths[batch].max()
        assert tokens is None or len(batch) == 1 or counted <= tokens


@settings(deadline=None, max_examples=100)
@given(LENGTHS, st.integers(1, 40), BUDGET, st.integers(2, 4), st.booleans())
def test_a_batch_is_of_one_group(
    lengths: np.ndarray, size: int, tokens: int | None, number: int, unpadded: bool
) -> None:
    groups = np.random.default_rng(0).integers(0, number, len(lengths))
    plan = BatchPlan(lengths, size, tokens, seed=1, unpadded=unpadded, groups=groups).of_epoch(0)
    assert all(len(set(groups[batch])) == 1 and len(set(batch)) == len(batch) <= size for batch in plan)
    assert {int(groups[batch[0]]) for batch in plan} == set(groups)


@settings(deadline=None, max_examples=100)
@given(LENGTHS, st.integers(1, 40), BUDGET, st.integers(1, 60), st.booleans())
def test_a_list_stays_together_where_it_fits(
    lengths: np.ndarray, size: int, tokens: int | None, number: int, unpadded: bool
) -> None:
    lists = np.random.default_rng(0).integers(0, number, len(lengths))
    plans = [BatchPlan(lengths, size, tokens, seed=1, unpadded=unpadded, lists=lists).of_epoch(e) for e in (0, 1)]
    for batch in plans[0]:
        counted = lengths[batch].sum() if unpadded else len(batch) * lengths[batch].max()
        assert 0 < len(batch) <= size
        assert tokens is None or len(batch) == 1 or counted <= tokens
    for plan in plans:
        assert sorted(np.concatenate(plan).tolist()) == list(range(len(lengths)))
    for name in set(lists):
        members = np.flatnonzero(lists == name)
        counted = lengths[members].sum() if unpadded else len(members) * lengths[members].max()
        if len(members) <= size and (tokens is None or counted <= tokens):
            assert sum(bool(set(batch) & set(members)) for batch in plans[0]) == 1


def test_lists_come_in_another_order_each_epoch() -> None:
    lists = np.repeat(np.arange(50), 4)
    plan = BatchPlan(np.full(200, 9), 8, unpadded=True, lists=lists)
    orders = [[int(lists[batch[0]]) for batch in plan.of_epoch(epoch)] for epoch in (0, 1)]
    assert orders[0] != orders[1]
    assert orders[0] != sorted(orders[0])
    assert all(len(batch) == 8 for batch in plan.of_epoch(0))


@pytest.mark.parametrize("unpadded", [False, True])
def test_a_small_group_comes_round_more_often(unpadded: bool) -> None:
    groups = np.repeat([0, 1], [1600, 100])
    plan = BatchPlan(np.full(1700, 9), 8, seed=1, unpadded=unpadded, groups=groups).of_epoch(0)
    order = [int(groups[batch[0]]) for batch in plan]
    assert order.count(0) == np.ceil(213 * 40 / 50)
    assert order.count(1) == np.ceil(213 * 10 / 50)
    seen = np.bincount(np.concatenate(plan), minlength=1700)
    assert set(seen[groups == 0]) == {0, 1}
    assert set(seen[groups == 1]) == {3, 4}
    assert order != sorted(order)
    assert order != sorted(order, reverse=True)


def test_length_order_saves_padding() -> None:
    lengths = np.random.default_rng(0).integers(1, 128, 2048)
    plan = BatchPlan(lengths, 32).of_epoch(0)
    padded = sum(len(b) * lengths[b].max() for b in plan)
    assert padded / lengths.sum() < 1.05


def test_without_padding_the_order_is_random() -> None:
    lengths = np.random.default_rng(0).integers(1, 128, 2048)
    plan = BatchPlan(lengths, 32, unpadded=True).of_epoch(0)
    spread = np.mean([lengths[batch].std() for batch in plan])
    assert abs(spread / lengths.std() - 1) < 0.05


@pytest.mark.parametrize("unpadded", [False, True])
@pytest.mark.parametrize("tokens", [None, 100])
def test_epochs_and_seeds_differ_and_repeat(unpadded: bool, tokens: int | None) -> None:
    lengths = np.arange(1, 200)

    def plan(seed: int, epoch: int) -> list[list[int]]:
        return [b.tolist() for b in BatchPlan(lengths, 8, tokens, seed, unpadded=unpadded).of_epoch(epoch)]

    plans = {(seed, epoch): plan(seed, epoch) for seed in (0, 1) for epoch in (0, 1)}
    assert len({str(found) for found in plans.values()}) == 4
    assert plans[1, 1] == plan(1, 1)


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 60), st.integers(1, 5))
def test_processes_share_the_batches_evenly(count: int, world: int) -> None:
    plan = [np.array([i]) for i in range(count)]
    shares = [own_share(plan, rank, world) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    assert {int(b[0]) for share in shares for b in share} == set(range(count))


def test_rows_cut_the_same_order() -> None:
    lengths = np.random.default_rng(0).integers(1, 128, 500)
    orders = [np.concatenate(BatchPlan(lengths, size, seed=4, unpadded=True).of_epoch(2)) for size in (8, 32)]
    assert (orders[0] == orders[1]).all()


def identity(index: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return index


class Echo:
    def __getitem__(self, index: tuple[int, int]) -> tuple[int, int]:
        return index


def loader(workers: int = 0) -> BatchLoader:
    return BatchLoader(Echo(), Batches(BatchPlan(np.arange(1, 50), 8, seed=3)), identity, workers)  # type: ignore[arg-type]


@pytest.mark.parametrize("workers", [0, 2])
def test_goes_on_where_it_was_cut(workers: int) -> None:
    whole = loader()
    expected = [list(whole), list(whole)]
    cut = loader()
    iterator = iter(cut)
    seen = [next(iterator) for _ in range(3)]
    resumed = loader(workers)
    resumed.load_state_dict(cut.state_dict())
    assert seen + list(resumed) == expected[0]
    assert list(resumed) == expected[1]
    assert expected[0][0][0][0] == 0
    assert expected[1][0][0][0] == 1


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 30), st.integers(30, 90))
def test_epochs_are_of_one_length_and_leave_nothing_out(cut_after: int, count: int) -> None:
    lengths = np.random.default_rng(count).integers(1, 60, count)
    plan = BatchPlan(lengths, 8, 90, seed=3, unpadded=True)
    plans = [[[(epoch, int(i)) for i in batch] for batch in plan.of_epoch(epoch)] for epoch in range(9)]
    whole = BatchLoader(Echo(), Batches(plan), identity, 0)  # type: ignore[arg-type]
    epochs = [list(whole) for _ in range(5)]
    assert {len(epoch) for epoch in epochs} == {len(whole)} == {len(plans[0])}
    stream = [batch for own in plans for batch in own]
    assert [batch for epoch in epochs for batch in epoch] == stream[: 5 * len(whole)]

    cut = BatchLoader(Echo(), Batches(plan), identity, 0)  # type: ignore[arg-type]
    seen: list[object] = []
    while len(seen) < cut_after:
        for batch in cut:
            seen.append(batch)
            if len(seen) == cut_after:
                break
    resumed = BatchLoader(Echo(), Batches(plan), identity, 0)  # type: ignore[arg-type]
    resumed.load_state_dict(cut.state_dict())
    rest = [list(resumed) for _ in range(3)]
    assert len(rest[0]) == len(whole) - cut_after % len(whole)
    assert len(rest[1]) == len(rest[2]) == len(whole)
    again = seen + [batch for epoch in rest for batch in epoch]
    assert again == stream[: len(again)]


class Row:
    """Ten ordinary tokens a row."""

    lengths = np.full(40, 10)

    def __getitem__(self, row: int) -> tuple[np.ndarray, np.ndarray]:
        return np.arange(10) + 5 + row, np.arange(10)


@pytest.mark.parametrize(("size", "tokens"), [(8, None), (3, None), (40, 77)])
@pytest.mark.parametrize("workers", [0, 2])
def test_masks_hang_on_seed_epoch_and_example_alone(size: int, tokens: int | None, workers: int) -> None:
    masker = Masker(mask_id=4, vocab_size=60, special_ids=frozenset(range(5)), seed=7)
    table: Any = Row()
    plan = BatchPlan(table.lengths, size, tokens, seed=3, unpadded=True)
    served = BatchLoader(MaskedExamples(table, masker), Batches(plan), Collate(0), workers)
    for epoch in range(2):
        seen = {}
        for batch in served:
            for ids, labels in zip(batch["input_ids"].tolist(), batch["labels"].tolist(), strict=True):
                whole = [label if label >= 0 else own for own, label in zip(ids[:10], labels[:10], strict=True)]
                seen[whole[0] - 5] = ids[:10], labels[:10]
        assert sorted(seen) == list(range(40))
        for row, (ids, labels) in seen.items():
            expected = masker(*table[row], epoch, row)
            assert (ids, labels) == tuple(part.tolist() for part in expected)


@pytest.mark.parametrize(
    "changed", [{"size": 9}, {"tokens": 90}, {"unpadded": True}, {"seed": 4}, {"lengths": np.arange(2, 51)}], ids=str
)
def test_other_batches_than_those_it_began_with_are_refused(changed: dict[str, Any]) -> None:
    own: dict[str, Any] = {"lengths": np.arange(1, 50), "size": 8, "seed": 3}
    state = loader().state_dict()
    loader().load_state_dict(state)
    other = BatchLoader(Echo(), Batches(BatchPlan(**(own | changed))), identity, 0)  # type: ignore[arg-type]
    with pytest.raises(RunError, match="expected the batches that the checkpoint was made with, found others"):
        other.load_state_dict(state)
    with pytest.raises(RunError, match=r"as many processes as training began with, 2, found 1; set trainer\.devices=2"):
        loader().load_state_dict({**state, "processes": 2})
    del state["plan"]
    with pytest.raises(RunError, match="another version of shopguide"):
        loader().load_state_dict(state)


def test_processes_make_batches_where_a_gpu_trains() -> None:
    assert loading_workers(None, "cpu") == 0
    assert loading_workers(3, "cpu") == 3
    assert loading_workers(0, "cuda:0") == 0
    assert 0 <= loading_workers(None, "cuda:1") <= 4


class Heeds:
    def __getitem__(self, _index: tuple[int, int]) -> bool:
        return signal.getsignal(signal.SIGINT) is not signal.SIG_IGN


def test_processes_that_make_batches_leave_an_interrupt_to_the_one_that_trains() -> None:
    plan = BatchPlan(np.full(4, 1), 2, None, seed=0)
    found = BatchLoader(Heeds(), Batches(plan), list, 1)  # type: ignore[arg-type]
    assert [any(batch) for batch in found] == [False, False]
