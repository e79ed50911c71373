"""The nearest products of a large catalogue: queries a second, one at a time, as a shop's page asks them.

    python -m experiments.benchmarks.nearest --vectors catalogue.npy

Ours looks through the cells of `shopguide.index approximate=0.98`; the peer is sentence-transformers' exact
`semantic_search`. Vectors are those of a real catalogue (beside a trained model, or in an index), repeated with noise
up to the number asked; queries are some of them with more noise. Also: the share of the exact nearest 50 that is found,
and the seconds that making the cells takes, which do not go into the rate.
"""

import argparse
import json
import time

import numpy as np

from experiments.benchmarks.harness import Case, compare, parser

QUERIES, NEAREST, SHARE = 300, 50, 0.98
NOISE, OF_QUERIES = 0.3, 0.6
"""Length of the noise on a vector of length 1."""


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--vectors", required=True, help="file.npy with (M, D) unit vectors")
    made.add_argument("--count", type=int, default=0, help=argparse.SUPPRESS)
    args = made.parse_args()
    if args.arm:
        print(json.dumps({"ours": ours, "theirs": theirs}[args.arm](*vectors(args.vectors, args.count))))
        return
    del args.count
    peer, also = "sentence_transformers.util.semantic_search", ("share", "making_seconds")
    sizes = {"100k": 100_000, "1M": 1_000_000}
    cases = [Case(name, "queries/s", ["--count", str(count)], peer, also) for name, count in sizes.items()]
    compare("nearest", cases, args)


def vectors(path: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(M, D) of a catalogue, and (N, D) of queries."""
    real, draw = np.load(path), np.random.default_rng(0)
    catalogue = noisy(real[draw.integers(0, len(real), count)], NOISE, draw)
    return catalogue, noisy(catalogue[draw.integers(0, count, QUERIES)], OF_QUERIES, draw)


def noisy(rows: np.ndarray, length: float, draw: np.random.Generator) -> np.ndarray:
    rows = rows.astype(np.float32)
    width = rows.shape[1]
    for start in range(0, len(rows), 1 << 16):
        part = rows[start : start + (1 << 16)]
        part += draw.standard_normal(part.shape, dtype=np.float32) * np.float32(length / np.sqrt(width))
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def ours(catalogue: np.ndarray, queries: np.ndarray) -> dict[str, float]:
    from shopguide.inference.cells import Cells
    from shopguide.inference.vectors import Vectors
    from shopguide.tasks.task import Catalogue

    begun = time.perf_counter()
    names = range(len(catalogue))
    whole = Vectors(Catalogue(names, names), catalogue, Cells.of(catalogue, queries[: QUERIES // 2], SHARE))  # type: ignore[arg-type]
    making, asked = time.perf_counter() - begun, queries[QUERIES // 2 :]
    exact = Vectors(whole.products, catalogue).nearest(asked, NEAREST)[0]
    begun = time.perf_counter()
    found = [whole.nearest(query[None], NEAREST)[0][0] for query in asked]
    seconds = time.perf_counter() - begun
    share = float(np.mean([np.isin(best, rows).mean() for best, rows in zip(exact, found, strict=True)]))
    return {"value": len(asked) / seconds, "share": share, "making_seconds": making}


def theirs(catalogue: np.ndarray, queries: np.ndarray) -> dict[str, float]:
    import torch
    from sentence_transformers.util import dot_score, semantic_search

    corpus, asked = torch.from_numpy(catalogue), torch.from_numpy(queries[QUERIES // 2 :])
    begun = time.perf_counter()
    for query in asked:
        semantic_search(query[None], corpus, top_k=NEAREST, score_function=dot_score)
    return {"value": len(asked) / (time.perf_counter() - begun), "share": 1.0, "making_seconds": 0.0}


if __name__ == "__main__":
    main()
