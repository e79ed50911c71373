import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shopguide.models.layout import Layout

LENGTHS = st.lists(st.integers(1, 40), min_size=1, max_size=40)
SOME_EMPTY = st.lists(st.integers(0, 40), min_size=1, max_size=40)
CPU = torch.device("cpu")


@settings(deadline=None)
@given(LENGTHS, st.booleans())
def test_the_row_holds_each_token_once(lengths: list[int], filled: bool) -> None:
    width = max(lengths)
    layout = Layout(lengths, width, filled)
    real = [row * width + column for row, length in enumerate(lengths) for column in range(length)]
    assert sorted(layout.flat[: layout.tokens]) == real
    assert (layout.columns == layout.flat % width).all()
    assert (layout.flat[layout.starts] == np.arange(len(lengths)) * width).all()
    assert layout.bounds.tolist() == [0, *np.cumsum(sorted(lengths, reverse=True))]
    assert len(layout.flat) == layout.tokens + layout.filler <= sum(lengths) * 17 / 16
    assert filled or not layout.filler


@settings(deadline=None)
@given(SOME_EMPTY)
def test_groups_take_all_documents_in_few_shapes(lengths: list[int]) -> None:
    layout = Layout(lengths, max(lengths), filled=True)
    real = [length for length in sorted(lengths, reverse=True) if length] or [0]
    assert [length for group in layout.groups for length in group.lengths] == real
    for group in layout.groups:
        assert len(group.lengths).bit_count() == 1
        assert group.places % 4 == 0
        assert group.lengths[0] <= group.places <= max(4, group.lengths[0] * 2)
        assert group.lengths[-1] >= group.lengths[0] * 3 / 4


@settings(deadline=None)
@given(SOME_EMPTY.filter(any), st.integers(1, 3), st.booleans())
def test_spread_and_back_is_the_row_and_a_document_is_spread_from_its_own_places(
    lengths: list[int], heads: int, shared: bool
) -> None:
    layout = Layout(lengths, max(lengths), filled=True)
    spread = layout.spread(heads, CPU, shared)
    owner = np.repeat(np.arange(len(lengths)), sorted(lengths, reverse=True))
    row = torch.arange(1, layout.tokens * heads + 1)
    padded = row[spread.into]
    assert padded[spread.back[: spread.real]].equal(row)
    assert len(spread.into) == spread.real + len(spread.padding) == sum(spread.sizes)
    assert len(spread.back) == (layout.tokens + layout.filler) * heads
    pieces = torch.split(spread.into, spread.sizes)
    for group, piece in zip(layout.groups, pieces, strict=True):
        together = group.together if shared else 1
        count = len(group.lengths) // together
        windows = piece.view(count, heads, together, group.places).transpose(1, 2)
        for number, document in enumerate(windows.flatten(0, 1)):
            assert set(owner[(document // heads).numpy().ravel()]) == {group.first + number}
            assert (document % heads == torch.arange(heads)[:, None]).all()


def test_short_documents_share_a_window_of_32_places() -> None:
    def together(lengths: list[int]) -> list[int]:
        return [group.together for group in Layout(lengths, max(lengths), filled=True).groups]

    assert together([4] * 16) == [8]
    assert together([8] * 16) == [4]
    assert together([12] * 16) == together([16] * 16) == [2]
    assert together([17] * 16) == together([128] * 16) == [1]
    assert together([4, 4, 4]) == [2, 1]


def test_a_group_masks_its_padding() -> None:
    (group,) = Layout([6, 8], 8, filled=True).groups
    assert group.places == 8
    keys = group.real_keys()
    assert keys is not None
    assert keys.sum(-1).flatten().tolist() == [8, 6]
    assert Layout([8, 8], 8, filled=True).groups[0].real_keys() is None
