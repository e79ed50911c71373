import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shopguide.inference.second_look import distances, looked_twice, shift


def posterior(count: int, classes: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(classes), count).astype(np.float32)


def test_the_two_most_probable_classes_are_apart_by_so_much() -> None:
    np.testing.assert_allclose(distances(np.array([[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]])), [0.2, 0.7])
    assert distances(np.array([[1.0], [1.0]])).tolist() == [1, 1]
    assert distances(np.zeros((0, 3))).tolist() == []


@given(st.integers(1, 40), st.integers(2, 6), st.integers(0, 9), st.floats(0, 0.3))
def test_answers_are_the_exact_ones_where_the_shift_is_known(count: int, classes: int, seed: int, noise: float) -> None:
    exact = posterior(count, classes, seed)
    off = np.random.default_rng(seed + 1).uniform(-noise, noise, exact.shape)
    rough = np.clip(exact + off, 1e-9, None)
    asked: list[list[str]] = []

    def decide(own: dict[str, np.ndarray], first: list[str], second: list[str] | None) -> dict[str, np.ndarray]:
        asked.append([*first, *(second or [])])
        return {name: part.copy() for name, part in own.items()}

    first, second = [f"a{row}" for row in range(count)], [f"b{row}" for row in range(count)]
    found = looked_twice(
        {"y": rough}, lambda rows: {"y": exact[rows]}, decide, first, second, closer_than=2 * noise + 1e-6
    )  # type: ignore[arg-type]
    assert (found["y"].argmax(1) == exact.argmax(1)).all()
    close = [row for row in range(count) if distances(rough)[row] < 2 * noise + 1e-6]
    assert asked[1:] == ([[f"a{row}" for row in close] + [f"b{row}" for row in close]] if close else [])
    others = np.setdiff1d(np.arange(count), close)
    assert (found["y"][others] == rough[others]).all()


def test_what_is_decided_may_be_a_close_call_where_the_network_is_sure() -> None:
    own = {"y": np.array([[0.9, 0.1], [0.8, 0.2]])}

    def decide(said: dict[str, np.ndarray], first: list[str], _second: object) -> dict[str, np.ndarray]:
        return {
            "y": np.array(
                [[0.501, 0.499] if text == "even" else row for text, row in zip(first, said["y"], strict=True)]
            )
        }

    def exactly(rows: np.ndarray) -> dict[str, np.ndarray]:
        assert rows.tolist() == [1]
        return {"y": np.array([[0.7, 0.3]])}

    assert looked_twice(own, exactly, decide, ["sure", "even"], None)["y"].tolist() == [[0.9, 0.1], [0.501, 0.499]]  # type: ignore[arg-type]


@given(st.integers(1, 40), st.integers(2, 6), st.integers(0, 9))
def test_farther_apart_than_the_shift_an_answer_is_the_exact_one(count: int, classes: int, seed: int) -> None:
    rough, exact = posterior(count, classes, seed), posterior(count, classes, seed + 10)
    sure_of = distances(rough) > shift(rough, exact) + 1e-6
    assert (rough.argmax(1) == exact.argmax(1))[sure_of].all()


def test_the_shift_is_the_most_that_may_be_made_up_for() -> None:
    rough = np.array([[0.5, 0.4, 0.1], [0.1, 0.2, 0.7]])
    exact = np.array([[0.45, 0.45, 0.1], [0.3, 0.0, 0.7]])
    assert shift(rough, exact) == pytest.approx(0.2)
    assert shift(np.array([[0.5, 0.3, 0.2]]), np.array([[0.3, 0.1, 0.6]])) == pytest.approx(0.6)
    assert shift(np.zeros((0, 3)), np.zeros((0, 3))) == shift(np.ones((2, 1)), np.ones((2, 1))) == 0
