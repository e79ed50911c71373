"""Search in a guide's stages, on queries that no model has learnt from: words, meaning, both, and both read again.

    python experiments/2026-11-28-guide/retrieval.py --root FOLDER_WITH_RUNS [--run ID] [--split test] [--queries 1000]

The run has the tasks `search` and `relevance`; or it is two, with a comma between them, the one of `search` first. On
the demo shop a product is worth what its hidden truth says; on others, what was judged. Prints a JSON line.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from shopguide.build import build_task
from shopguide.checks import parse
from shopguide.config import DataConfig
from shopguide.experiment.guiding import build_guide
from shopguide.experiment.prepare import Material, load_material
from shopguide.guide.guide import Guide
from shopguide.guide.searching import DEPTH, Hits, Query, Searcher
from shopguide.inference.retrieval import Found, retrieval_scores
from shopguide.runs.store import open_store
from shopguide.tasks.task import Examples


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--root", type=Path, required=True)
    made.add_argument("--run", default="latest")
    made.add_argument("--split", default="test")
    made.add_argument("--queries", type=int, default=1000)
    options = made.parse_args()
    store = open_store(None, "shopguide", options.root, create=False)
    first = options.run.split(",")[0]
    settings = store.settings(store.task_runs(first, "search")["search"])
    material = load_material(parse(DataConfig, settings["data"]))
    examples = build_task("search", settings["tasks"]["search"]).examples(material.shop, material.parts, None)
    examples.wanted = worth(material, examples)
    held = examples.of(options.split)
    drawn = np.random.default_rng(0).permutation(len(held))[: options.queries]
    held = held.take(np.sort(drawn))
    guide = build_guide(store, options.run, None, "auto").guide
    told = {name: scored(held, found) for name, found in arms(guide, held.first).items()}
    print(json.dumps({"run": store.resolve(first), "queries": len(held), **told}))


def worth(material: Material, examples: Examples) -> Any:
    """Of each query, item_id → gain."""
    if material.truth is None:
        return examples.wanted
    ids = examples.catalogue.ids if examples.catalogue else []
    rows = [row for row, split in enumerate(material.parts.behaviours) if split != "aside"]
    asked = [
        row
        for row in rows
        if material.shop.behaviours[row]["viewed_items"] or material.shop.behaviours[row]["purchased_items"]
    ]
    assert len(asked) == len(examples), (len(asked), len(examples))
    truth = material.truth
    return [{item: float(gain) for item in ids if (gain := truth.relevance(row, item))} for row in asked]


def arms(guide: Guide, queries: list[str]) -> dict[str, Found]:
    searcher = guide._searcher
    encoder, learnt = searcher._encoder, searcher.blend
    assert encoder is not None
    assert encoder.catalogue is not None
    by_words = Searcher(guide.shelf, guide._lexicon)
    found = {"bm25, as typed": searched(by_words, queries, mend=False), "bm25": searched(by_words, queries)}
    found["dense"] = encoder.catalogue.nearest(encoder.vectors(queries), DEPTH)
    searcher.blend = None
    found |= {"by ranks": searched(searcher, queries), "by ranks, read again": searched(searcher, queries, rerank=True)}
    searcher.blend = learnt
    return found | {
        "learnt": searched(searcher, queries),
        "learnt, read again": searched(searcher, queries, rerank=True),
    }


def searched(searcher: Searcher, queries: list[str], mend: bool = True, rerank: bool = False) -> Found:
    asked = [Query(query, rerank=rerank, mend=mend) for query in queries]
    return stacked([one for start in range(0, len(asked), 64) for one in searcher.search(asked[start : start + 64])])


def stacked(hits: list[Hits]) -> Found:
    rows, scores = np.full((len(hits), DEPTH), -1, dtype=np.int64), np.zeros((len(hits), DEPTH))
    for place, own in enumerate(hits):
        rows[place, : len(own.rows)] = own.rows
        scores[place, : len(own.rows)] = -np.arange(len(own.rows))
    return rows, scores


def scored(held: Examples, found: Found) -> dict[str, Any]:
    ranks = np.where(found[0] >= 0, -np.arange(found[0].shape[1], dtype=float), 0.0)
    scores = retrieval_scores(held, (found[0], ranks))
    return {
        name: [round(scores.metrics[name], 4), *(round(bound, 4) for bound in scores.intervals[name])]
        for name in ("ndcg_at_10", "recall_at_100")
    }


if __name__ == "__main__":
    main()
