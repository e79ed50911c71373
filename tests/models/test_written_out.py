import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from shopguide.models import written_out
from shopguide.models.written_out import bidirectional_attention


@pytest.fixture
def vectors_only(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A CPU for which it is written out, whatever this one is; windows of each piece, as they come."""
    monkeypatch.setattr(written_out, "_in_vectors_only", lambda: True)
    pieces: list[int] = []
    plain = written_out._written_out

    def counted(query: torch.Tensor, *others: torch.Tensor) -> None:
        pieces.append(len(query))
        plain(query, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(written_out, "_written_out", counted)
    return pieces


def states(windows: int, length: int) -> list[torch.Tensor]:
    draw = torch.Generator().manual_seed(0)
    return [torch.randn(windows, 2, length, 8, generator=draw) for _ in range(3)]


@pytest.mark.parametrize("length", [12, 32])
@pytest.mark.parametrize("bias_shape", [(), (5, 1, 1), (5, 1, 0), (1, 1, 0)])
def test_it_is_attention_in_pieces(
    vectors_only: list[int], bias_shape: tuple[int, ...], length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(written_out, "SCORES", 2 * 2 * 2 * length**2)  # of two windows
    query, key, value = states(5, length)
    bias = None
    if bias_shape:
        seen = (
            torch.rand([*(size or length for size in bias_shape), length], generator=torch.Generator().manual_seed(1))
            < 0.6
        )
        seen[..., 0] = True
        bias = torch.zeros(seen.shape).masked_fill_(~seen, float("-inf"))
    for scaling in (None, 0.7):
        expected = scaled_dot_product_attention(query, key, value, bias, scale=scaling)
        with torch.inference_mode():
            half = [tensor.bfloat16().transpose(1, 2).contiguous().transpose(1, 2) for tensor in (query, key, value)]
            found = bidirectional_attention(*half, None if bias is None else bias.bfloat16(), scaling)
        assert found.dtype == torch.bfloat16
        torch.testing.assert_close(found.float(), expected, atol=0.03, rtol=0.03)
    assert vectors_only == [2, 2, 1] * 2


def test_full_precision_and_gradients_are_left_to_the_library(vectors_only: list[int]) -> None:
    query, key, value = states(3, 4)
    expected = scaled_dot_product_attention(query, key, value)
    with torch.no_grad():
        torch.testing.assert_close(bidirectional_attention(query, key, value, None, None), expected)
    bidirectional_attention(
        query.bfloat16().requires_grad_(), key.bfloat16(), value.bfloat16(), None, None
    ).sum().backward()
    assert not vectors_only


def test_documents_without_a_token_are_nothing_to_attend_to(vectors_only: list[int]) -> None:
    nothing = [tensor.bfloat16() for tensor in states(2, 0)]
    with torch.inference_mode():
        assert bidirectional_attention(*nothing, None, None).shape == (2, 2, 0, 8)
    assert vectors_only == [2]
