"""Approximate search: the catalogue in cells round centroids, of which the nearest are looked through.

An inverted file (Jégou et al. 2011) of 8-bit vectors by faiss. How many cells are looked through is measured when it is
made: doubled until they find the share of the exact answer that is asked for.

Shapes: N queries, M products, D width, K candidates.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from shopguide.errors import ModelError

FILE, ABOUT = "cells.faiss", "cells.json"
NEAREST = 50
"""Of which a share is to be found: what a second stage reads."""
BESIDE = 4
"""Candidates of each product that is asked for: their 8-bit cosines are not exact."""
A_CELL = 39
"""Vectors of each cell at least: fewer place no centroid (faiss warns)."""
BLOCK = 1 << 14
"""Vectors that are compared at once."""
ROUNDING = 1e-6
"""Of cosines."""
SAMPLE = 64
"""Vectors of each cell that centroids are placed by."""


@dataclass(frozen=True)
class Cells:
    """A catalogue's vectors in cells."""

    index: Any
    probes: int
    """Cells that are looked through."""
    share: float
    """Of the exact nearest, that was found when it was made."""

    @classmethod
    def of(cls, matrix: np.ndarray, queries: np.ndarray, share: float) -> "Cells":
        """Of (M, D) unit vectors.

        Args:
            matrix: the catalogue's.
            queries: (N, D) like those that will be asked.
            share: of each query's nearest products, that is to be found in the mean.

        Raises:
            ModelError: faiss is not installed.
        """
        faiss = faiss_module()
        count, width = matrix.shape
        cells = max(1, min(int(4 * np.sqrt(count)), count // A_CELL))
        index = faiss.index_factory(width, f"IVF{cells},SQ8", faiss.METRIC_INNER_PRODUCT)
        drawn = np.random.default_rng(0).permutation(count)[: max(cells * SAMPLE, A_CELL)]
        index.train(np.ascontiguousarray(matrix[np.sort(drawn)]))
        for start in range(0, count, 1 << 16):
            index.add(np.ascontiguousarray(matrix[start : start + (1 << 16)]))
        least = _least_cosines(matrix, queries)
        probes, found = 1, cls(index, 1, 0.0)
        while True:
            near = cls(index, probes, 0.0).near(queries, NEAREST)
            found = cls(index, probes, _share(matrix, queries, least, near))
            if found.share >= share or probes >= cells:
                return found
            probes = min(2 * probes, cells)

    def near(self, queries: np.ndarray, count: int) -> np.ndarray:
        """(N, K) rows of some products, those among them that are nearest, or nearly so; -1 where there are fewer."""
        asked = min(BESIDE * count, self.index.ntotal)
        parameters = faiss_module().SearchParametersIVF(nprobe=self.probes)
        rows: np.ndarray = self.index.search(np.ascontiguousarray(queries, np.float32), asked, params=parameters)[1]
        return rows

    def save(self, folder: Path) -> None:
        """Write them beside the vectors."""
        about = {"probes": self.probes, "share": self.share}
        (folder / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        faiss_module().write_index(self.index, str(folder / FILE))

    @classmethod
    def load(cls, folder: Path) -> "Cells | None":
        """Read them, memory-mapped; None where there are none.

        Raises:
            ModelError: faiss is not installed.
        """
        if not (folder / FILE).is_file():
            return None
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        faiss = faiss_module()
        return cls(faiss.read_index(str(folder / FILE), faiss.IO_FLAG_MMAP), about["probes"], about["share"])


def _least_cosines(matrix: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """(N,) cosines of the last of each query's nearest products, from blocks of the catalogue."""
    count = min(NEAREST, len(matrix))
    best = np.full((len(queries), count), -np.inf, np.float32)
    for start in range(0, len(matrix), BLOCK):
        block = np.concatenate([best, queries @ matrix[start : start + BLOCK].T], axis=1)
        best = -np.partition(-block, count - 1, axis=1)[:, :count]
    least: np.ndarray = best.min(1)
    return least


def _share(matrix: np.ndarray, queries: np.ndarray, least: np.ndarray, found: np.ndarray) -> float:
    """Of products as near as the nearest ones: equal vectors serve as well."""
    count = min(NEAREST, len(matrix))
    near = [
        (matrix[own[own >= 0]] @ query >= last - ROUNDING).sum()
        for own, query, last in zip(found, queries, least, strict=True)
    ]
    return float(np.mean(np.minimum(near, count)) / count)


def forget(folder: Path) -> None:
    """Take away those that lie beside other vectors."""
    for name in (FILE, ABOUT):
        (folder / name).unlink(missing_ok=True)


def faiss_module() -> Any:
    """faiss, which is imported where it is needed.

    Raises:
        ModelError: it is not installed.
    """
    try:
        import faiss
    except ImportError as error:
        raise ModelError(
            "an approximate index: expected the package faiss, found none; pip install 'shopguide[ann]'"
        ) from error
    return faiss
