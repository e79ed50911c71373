"""The products of a catalogue as vectors, and those nearest to a query.

Shapes: N queries, M products, D width, K nearest.
"""

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from shopguide.tasks.task import Catalogue

VECTORS, ITEMS = "catalogue.npy", "catalogue.json"
AT_ONCE = 1 << 26
"""Scores held at a time."""


@dataclass(frozen=True)
class Vectors:
    """Unit vectors of a catalogue's products."""

    products: Catalogue
    matrix: np.ndarray
    """(M, D)."""

    @cached_property
    def words(self) -> dict[str, str]:
        """item_id → the product as it is read."""
        return dict(zip(self.products.ids, self.products.texts, strict=True))

    def nearest(self, queries: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
        """(N, K) row numbers and (N, K) cosines of the nearest products, the nearest first; exact.

        Args:
            queries: (N, D) of unit length.
            count: K; fewer where the catalogue has fewer.
        """
        count = min(count, len(self.products))
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

    def save(self, folder: Path) -> None:
        """Write them beside a model."""
        np.save(folder / VECTORS, self.matrix)
        (folder / ITEMS).write_text(json.dumps(asdict(self.products), ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> "Vectors | None":
        """Read them from beside a model, memory-mapped; None where there are none."""
        if not (folder / VECTORS).is_file():
            return None
        products = Catalogue(**json.loads((folder / ITEMS).read_text(encoding="utf-8")))
        return cls(products, np.load(folder / VECTORS, mmap_mode="r"))
