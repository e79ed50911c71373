"""Search in two stages: what a bi-encoder and BM25 find, ordered anew by a cross-encoder.

    python THIS --search RUN --relevance RUN --store mlruns --experiment NAME [NAME]

Both runs are of one shop and split. The first 50 products of each query, by the bi-encoder, by BM25, and by both, are
ordered by the expected gain that the task `relevance` tells of them. Prints one JSON line last.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from shopguide.build import build_task
from shopguide.checks import parse
from shopguide.config import DataConfig
from shopguide.experiment.prepare import load_material
from shopguide.inference.load import load_model
from shopguide.inference.retrieval import DEPTH, Found, fused, retrieval_scores
from shopguide.runs.store import open_store
from shopguide.tasks.bm25 import bm25_search
from shopguide.tasks.task import Examples

FIRST = 50


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--search", required=True, help="run with the task search")
    made.add_argument("--relevance", required=True, help="run with the task relevance")
    made.add_argument("--store", type=Path, required=True)
    made.add_argument("--experiment", nargs="+", required=True, help="of both runs, or of each")
    made.add_argument("--queries", type=int, default=None, help="of the test split, at most, drawn")
    args = made.parse_args()
    stores = [open_store(None, name, args.store, create=False) for name in args.experiment]
    encoder, scorer = (
        load_model(store.task_model(run, task), "auto", task)
        for store, run, task in ((stores[0], args.search, "search"), (stores[-1], args.relevance, "relevance"))
    )
    examples = held_out(stores[0], args.search, args.queries)
    assert examples.catalogue is not None
    near = encoder.found(examples.first, DEPTH)
    words = bm25_search(examples.catalogue.texts, examples.first, DEPTH)
    ways = {"dense": near, "bm25": words, "fused": fused(near, words)}
    ways |= {f"{name}, reranked": reranked(scorer, examples, found) for name, found in ways.items()}
    scores = {name: retrieval_scores(examples, found) for name, found in ways.items()}
    for name, own in scores.items():
        print(name, {metric: round(value, 4) for metric, value in own.metrics.items()}, own.intervals["ndcg_at_10"])
    print(json.dumps({"queries": len(examples), "scores": {name: own.metrics for name, own in scores.items()}}))


def held_out(store: Any, run: str, most: int | None) -> Examples:
    settings = store.settings(store.task_runs(run, "search")["search"])
    material = load_material(parse(DataConfig, settings["data"]))
    examples = build_task("search", settings["tasks"]["search"]).examples(material.shop, material.parts, material.truth)
    test = examples.of("test")
    return test if most is None else test.take(np.sort(np.random.default_rng(0).permutation(len(test))[:most]))


def reranked(scorer: Any, examples: Examples, found: Found) -> Found:
    """The first products of each query by their expected gain, the others after them as they were."""
    assert examples.catalogue is not None
    rows, scores = found[0].copy(), found[1].astype(float)
    places = [(query, place) for query in range(len(rows)) for place in range(FIRST) if rows[query, place] >= 0]
    first = [examples.first[query] for query, _ in places]
    second = [examples.catalogue.texts[rows[query, place]] for query, place in places]
    ((posterior),) = scorer.posterior(first, second).values()
    gains = np.full((len(rows), FIRST), -np.inf)
    gains[tuple(np.array(places).T)] = posterior @ np.array(scorer.card.gains)
    order = np.argsort(-gains, axis=1, kind="stable")
    rows[:, :FIRST] = np.take_along_axis(rows[:, :FIRST], order, 1)
    scores[:] = -np.arange(rows.shape[1])
    return rows, scores


if __name__ == "__main__":
    main()
