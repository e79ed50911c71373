"""Arms of search on `homedepot`, of one seed: pretraining, mined negatives, a teacher, and a second stage.

    python THIS --root ROOT --data DATA/homedepot --model FOLDER --seed 1 [--only base hard]

Each arm is trained as users train it, into an experiment of its name below ROOT/SEED; what is there already is not
trained again. Then all are scored, and one JSON line is printed last: what search finds on the test queries, and what
becomes of 500 of them (drawn) when a model of `relevance` orders the first 50 products anew. With `--only`, some arms
are trained and nothing is scored.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from shopguide.build import build_task
from shopguide.checks import parse
from shopguide.config import DataConfig
from shopguide.experiment.prepare import load_material
from shopguide.inference.load import load_model
from shopguide.inference.retrieval import DEPTH, fused, retrieval_scores
from shopguide.inference.second_stage import SecondStage
from shopguide.runs.store import Store, open_store
from shopguide.tasks.bm25 import bm25_search
from shopguide.tasks.task import Examples

SEARCH = ["tasks=[search]", "tasks.search.fields=[title]", "epochs=2", "lr=5e-5", "finetune.batch.size=128"]
PAIRS = ["tasks=[relevance]", "tasks.relevance.fields=[title]", "epochs=2"]
HARD = "finetune.matching.hard=2"
PRETRAIN = ["pretrain.batch.size=128", "pretrain.epochs=1", "pretrain.max_length=64"]
ARMS = {
    "judged": ["+experiment=ft_only", *PAIRS, "finetune.max_examples=12000"],
    "unjudged": ["+experiment=ft_only", *PAIRS, "tasks.relevance.hard=4", "finetune.max_examples=20000"],
    "base": ["+experiment=ft_only", *SEARCH],
    "hard": ["+experiment=ft_only", *SEARCH, HARD],
    "teacher": ["+experiment=ft_only", *SEARCH, HARD],
    "pretrained": ["+experiment=mlm_then_ft", *SEARCH, *PRETRAIN],
}
SCORERS = ("judged", "unjudged")
METRICS = ("ndcg_at_10", "recall_at_10", "recall_at_100")
QUERIES = 500


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--root", type=Path, required=True)
    made.add_argument("--data", required=True, help="folder of the set")
    made.add_argument("--model", required=True, help="folder or hub name of the backbone")
    made.add_argument("--seed", type=int, required=True)
    made.add_argument("--only", nargs="+", choices=sorted(ARMS), default=[])
    made.add_argument("--queries", type=int, help="learn search from so many queries, drawn; else from all")
    args = made.parse_args()
    root = args.root / str(args.seed)
    for arm in args.only or ARMS:
        if run_of(root, arm) is None:
            train(root, arm, args)
    if not args.only:
        arms = {arm: found(root, arm) for arm in ARMS if arm not in SCORERS}
        print(json.dumps({"seed": args.seed, "arms": arms, "stages": stages(root)}))


def train(root: Path, arm: str, args: argparse.Namespace) -> None:
    own = ["data=homedepot", f"data.root={args.data}", "model=minilm", f"model.path={args.model}"]
    own += [f"seed={args.seed}", f"data.split.seed={args.seed}", f"tracking.root={root}", f"tracking.experiment={arm}"]
    if arm == "teacher":
        own.append(f"finetune.matching.teacher={model_of(root, 'unjudged', 'relevance')}")
    if args.queries and arm not in SCORERS:
        own.append(f"finetune.max_examples={args.queries}")
    print(arm, flush=True)
    subprocess.run([sys.executable, "-m", "shopguide.train", *ARMS[arm], *own], check=True, stdout=subprocess.DEVNULL)


def run_of(root: Path, arm: str) -> tuple[Store, str] | None:
    """The finished run of an arm, where there is one."""
    store = open_store(None, arm, root)
    asked = "tags.`shopguide.kind` = 'experiment' and attributes.status = 'FINISHED'"
    return next(((store, run.info.run_id) for run in store.client.search_runs([store.experiment_id], asked)), None)


def model_of(root: Path, arm: str, task: str) -> Path:
    finished = run_of(root, arm)
    assert finished is not None, arm
    return finished[0].task_model(finished[1], task)


def found(root: Path, arm: str) -> dict[str, dict[str, float]]:
    """What the search of an arm reached, alone, beside BM25, and BM25 alone."""
    finished = run_of(root, arm)
    assert finished is not None, arm
    store, run = finished
    metrics = store.client.get_run(store.task_runs(run, "search")["search"]).data.metrics
    return {way: {name: metrics[f"{way}/{name}"] for name in METRICS} for way in ("test", "fused", "bm25")}


def stages(root: Path) -> dict[str, dict[str, float]]:
    """nDCG@10 of a drawn part of the queries: as found, and in the order of each model of relevance."""
    store, run = run_of(root, "base") or (None, None)
    assert store is not None
    assert run is not None
    examples = held_out(store, run)
    assert examples.catalogue is not None
    texts = examples.catalogue.texts
    encoder: Any = load_model(store.task_model(run, "search"), "auto", "search")
    near, words = encoder.found(examples.first, DEPTH), bm25_search(texts, examples.first, DEPTH)
    ways = {"bi-encoder": near, "BM25": words, "both": fused(near, words)}
    scores = {way: {"as found": ndcg(examples, one)} for way, one in ways.items()}
    for scorer in SCORERS:
        second = SecondStage(load_model(model_of(root, scorer, "relevance"), "auto", "relevance"))
        for way, one in ways.items():
            scores[way][scorer] = ndcg(examples, second.ordered(examples.first, texts, one))
    return scores


def ndcg(examples: Examples, one: tuple[np.ndarray, np.ndarray]) -> float:
    return retrieval_scores(examples, one).metrics["ndcg_at_10"]


def held_out(store: Store, run: str) -> Examples:
    settings = store.settings(store.task_runs(run, "search")["search"])
    material = load_material(parse(DataConfig, settings["data"]))
    examples = build_task("search", settings["tasks"]["search"]).examples(material.shop, material.parts, material.truth)
    test = examples.of("test")
    return test.take(np.sort(np.random.default_rng(0).permutation(len(test))[:QUERIES]))


if __name__ == "__main__":
    main()
