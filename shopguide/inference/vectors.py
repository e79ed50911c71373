"""The products of a catalogue as vectors, and those nearest to a query.

Shapes: N queries, M products, D width, K nearest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from shopguide.inference.cells import Cells, forget
from shopguide.tasks.task import Catalogue

VECTORS, ITEMS = "catalogue.npy", "catalogue.arrow"
AT_ONCE = 1 << 26
"""Scores held at a time."""


@dataclass(frozen=True)
class Vectors:
    """Unit vectors of a catalogue's products."""

    products: Catalogue
    matrix: np.ndarray
    """(M, D)."""
    cells: Cells | None = None
    """For approximate search."""

    @cached_property
    def place(self) -> dict[str, int]:
        """item_id → row."""
        return {item: row for row, item in enumerate(self.products.ids)}

    def called(self, text: str) -> list[int]:
        """The rows of the products that are read exactly so."""
        return self._called.get(text, [])

    @cached_property
    def _called(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row, text in enumerate(self.products.texts):
            found.setdefault(text, []).append(row)
        return found

    def nearest(self, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(N, K) row numbers and (N, K) cosines of the nearest products, the nearest first.

        Exact, but where there are cells: then some may be missed (row -1 where too few are found); cosines are exact.

        Args:
            queries: (N, D) of unit length, or wider ones, whose first D dimensions count.
            count: K; fewer where the catalogue has fewer.
        """
        count, queries = min(count, len(self.products)), shortened(queries, self.matrix.shape[1])
        if self.cells is not None:
            return self._among(queries, self.cells.near(queries, count), count)
        step = max(1, AT_ONCE // max(1, len(self.products)))
        parts = [self._nearest(queries[start : start + step], count) for start in range(0, len(queries), step)]
        if not parts:
            return np.zeros((0, count), np.int64), np.zeros((0, count), np.float32)
        rows, scores = (np.concatenate(column) for column in zip(*parts, strict=True))
        return rows, scores

    def _nearest(self, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        scores = queries @ self.matrix.T
        rows = np.argpartition(-scores, count - 1, axis=1)[:, :count]
        found = np.take_along_axis(scores, rows, 1)
        order = np.argsort(-found, axis=1, kind="stable")
        return np.take_along_axis(rows, order, 1), np.take_along_axis(found, order, 1)

    def _among(self, queries: np.ndarray, candidates: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        rows, scores = np.full((len(queries), count), -1, np.int64), np.zeros((len(queries), count), np.float32)
        for number, own in enumerate(candidates):
            own = np.sort(own[own >= 0])
            cosines = self.matrix[own] @ queries[number]
            best = np.argsort(-cosines, kind="stable")[:count]
            rows[number, : len(best)], scores[number, : len(best)] = own[best], cosines[best]
        return rows, scores

    def cosines(self, query: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """(R,) of some rows with a query; (M,) of all.

        Args:
            query: (D,) of unit length, or wider, as in `nearest`.
            rows: (R,); None: all.
        """
        chosen = self.matrix if rows is None else self.matrix[rows]
        found: np.ndarray = chosen @ shortened(query[None], self.matrix.shape[1])[0]
        return found

    def save(self, folder: Path) -> None:
        """Write them beside a model."""
        np.save(folder / VECTORS, self.matrix)
        forget(folder)
        if self.cells is not None:
            self.cells.save(folder)
        write_products(folder, self.products)

    @classmethod
    def load(cls, folder: Path) -> "Vectors | None":
        """Read them from beside a model, memory-mapped; None where there are none."""
        if not all((folder / name).is_file() for name in (VECTORS, ITEMS)):
            return None
        table = pa.ipc.open_file(pa.memory_map(str(folder / ITEMS))).read_all()
        products = Catalogue(Column(table["item_id"]), Column(table["text"]))
        return cls(products, np.load(folder / VECTORS, mmap_mode="r"), Cells.load(folder))


def shortened(vectors: np.ndarray, width: int) -> np.ndarray:
    """(N, ≥ D) → (N, D) of unit length: the first dimensions."""
    if vectors.shape[1] == width:
        return vectors
    first = vectors[:, :width]
    found: np.ndarray = first / np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-12)
    return found


class Column(Sequence[str]):
    """Texts of an Arrow column, which are read when they are asked for."""

    def __init__(self, column: Any) -> None:
        self._column = column

    def __len__(self) -> int:
        return len(self._column)

    def __getitem__(self, place: Any) -> Any:
        return self._column[place].to_pylist() if isinstance(place, slice) else self._column[place].as_py()


def write_products(folder: Path, products: Catalogue) -> None:
    """As `Vectors.load` maps them."""
    columns = {"item_id": list(products.ids), "text": list(products.texts)}
    table = pa.table({name: pa.array(column, pa.large_string()) for name, column in columns.items()})
    with pa.OSFile(str(folder / ITEMS), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
