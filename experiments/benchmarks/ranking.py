"""What metrics of ranked lists cost: queries a second, 8,000 queries with 40 products each.

    python -m experiments.benchmarks.ranking

Ours and `torchmetrics.retrieval` are given the same rows, in the same batches, and asked for the same five metrics.
"""

import argparse
import json
import time
from typing import Any

from experiments.benchmarks.harness import Case, compare, parser

QUERIES, PRODUCTS, BATCH, CUT = 8_000, 40, 4_096, 10


def main() -> None:
    args = parser(__doc__).parse_args()
    if args.arm:
        print(json.dumps(measured(args)))
        return
    names = ("ndcg", "mrr", "map", "recall", "hr")
    compare("ranking", [Case("five metrics", "queries/s", [], "torchmetrics.retrieval", names)], args)


def rows() -> list[Any]:
    """(N,) queries, products, scores and gains in random order; no two scores of a query are equal."""
    import torch

    draw = torch.Generator().manual_seed(0)
    order = torch.randperm(QUERIES * PRODUCTS, generator=draw)
    scores = torch.randperm(QUERIES * PRODUCTS, generator=draw).double()
    gains = torch.randint(0, 4, (QUERIES * PRODUCTS,), generator=draw)
    return [order // PRODUCTS, order % PRODUCTS, scores, gains]


def measured(args: argparse.Namespace) -> dict[str, Any]:
    columns = rows()
    arm = {"ours": Ours, "theirs": Theirs}[args.arm]()
    begun = time.perf_counter()
    for batch in zip(*(column.split(BATCH) for column in columns), strict=True):
        arm.update(*batch)
    found = arm.found()
    return {"value": QUERIES / (time.perf_counter() - begun), **found}


class Ours:
    def __init__(self) -> None:
        from shopguide.metrics.ranking import Ranking

        self.metric = Ranking((f"ndcg@{CUT}", "mrr", "map", f"recall@{CUT}", f"hr@{CUT}"))

    def update(self, queries: Any, items: Any, scores: Any, gains: Any) -> None:
        self.metric.update(queries, items, scores, gains)

    def found(self) -> dict[str, float]:
        return {name.partition("@")[0]: float(value) for name, value in self.metric.compute().items()}


class Theirs:
    def __init__(self) -> None:
        from torchmetrics import retrieval

        self.graded = {"ndcg": retrieval.RetrievalNormalizedDCG(top_k=CUT)}
        self.binary = {
            "mrr": retrieval.RetrievalMRR(),
            "map": retrieval.RetrievalMAP(),
            "recall": retrieval.RetrievalRecall(top_k=CUT),
            "hr": retrieval.RetrievalHitRate(top_k=CUT),
        }

    def update(self, queries: Any, items: Any, scores: Any, gains: Any) -> None:
        for metric in self.graded.values():
            metric.update(scores, gains, queries)
        for metric in self.binary.values():
            metric.update(scores, gains > 0, queries)

    def found(self) -> dict[str, float]:
        return {name: float(metric.compute()) for name, metric in (self.graded | self.binary).items()}


if __name__ == "__main__":
    main()
