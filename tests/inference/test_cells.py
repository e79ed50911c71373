import sys
from pathlib import Path

import numpy as np
import pytest

from shopguide.errors import ModelError
from shopguide.inference.cells import Cells
from shopguide.inference.vectors import Vectors
from shopguide.tasks.task import Catalogue

pytest.importorskip("faiss")


def unit(rows: np.ndarray) -> np.ndarray:
    found: np.ndarray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return found


@pytest.fixture(scope="module")
def made() -> tuple[np.ndarray, np.ndarray]:
    """A catalogue of 3,000 products, and 40 queries."""
    draw = np.random.default_rng(0)
    kinds = draw.standard_normal((60, 16))
    products = kinds[draw.integers(0, 60, 3000)] + 0.5 * draw.standard_normal((3000, 16))
    return unit(products), unit(products[:40] + 0.3 * draw.standard_normal((40, 16)))


def vectors(matrix: np.ndarray, cells: Cells | None = None) -> Vectors:
    names = [str(row) for row in range(len(matrix))]
    return Vectors(Catalogue(names, names), matrix, cells)


def test_the_share_that_was_asked_for_is_found(made: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, queries = made
    exact, _ = vectors(matrix).nearest(queries, 50)
    probes = []
    for share in (0.5, 0.9, 1.0):
        cells = Cells.of(matrix, queries, share)
        rows, cosines = vectors(matrix, cells).nearest(queries, 50)
        found = np.mean([np.isin(own, near).mean() for own, near in zip(exact, rows, strict=True)])
        assert found == pytest.approx(cells.share)
        assert found >= share
        for query, own, said in zip(queries, rows, cosines, strict=True):
            kept = own[own >= 0]
            assert len(kept) > 0
            np.testing.assert_allclose(said[: len(kept)], matrix[kept] @ query, atol=1e-6)
            assert (np.diff(said[: len(kept)]) <= 0).all()
        probes.append(cells.probes)
    assert probes == sorted(probes)
    assert probes[0] < probes[-1]


def test_what_is_saved_is_found_again(made: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    matrix, queries = made
    whole = vectors(matrix, Cells.of(matrix, queries, 0.9))
    whole.save(tmp_path)
    again = Vectors.load(tmp_path)
    assert again is not None
    assert again.cells is not None
    assert whole.cells is not None
    assert (again.cells.probes, again.cells.share) == (whole.cells.probes, whole.cells.share)
    for ours, theirs in zip(again.nearest(queries, 7), whole.nearest(queries, 7), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_fewer_products_than_are_asked(made: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, queries = made
    few = vectors(matrix[:3], Cells.of(matrix[:3], queries, 0.9))
    rows, _ = few.nearest(queries, 10)
    np.testing.assert_array_equal(np.sort(rows), np.tile(np.arange(3), (len(queries), 1)))


def test_too_few_in_the_cells_that_are_looked_through(made: tuple[np.ndarray, np.ndarray]) -> None:
    matrix, queries = made
    cells = Cells(Cells.of(matrix, queries, 0.1).index, 1, 0.0)
    rows, cosines = vectors(matrix, cells).nearest(queries, 2000)
    assert (rows[:, -1] == -1).all()
    assert (cosines[rows == -1] == 0).all()


def test_without_faiss_it_is_told(monkeypatch: pytest.MonkeyPatch, made: tuple[np.ndarray, np.ndarray]) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(ModelError, match=r"expected the package faiss, found none; pip install 'shopguide\[ann\]'"):
        Cells.of(*made, 0.9)


def test_equal_vectors_serve_as_well() -> None:
    draw = np.random.default_rng(1)
    matrix = np.repeat(unit(draw.standard_normal((40, 16))), 100, axis=0)
    cells = Cells.of(matrix, matrix[::100], 0.98)
    assert cells.share == pytest.approx(1.0)
    assert cells.probes <= 4


def test_cells_do_not_outlive_their_vectors(made: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    matrix, queries = made
    vectors(matrix, Cells.of(matrix, queries, 0.9)).save(tmp_path)
    vectors(matrix[::-1].copy()).save(tmp_path)
    again = Vectors.load(tmp_path)
    assert again is not None
    assert again.cells is None
