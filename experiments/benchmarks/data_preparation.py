"""Preparing text for masked-LM pretraining beside `datasets.map` of the usual script, tokens a second.

    python -m experiments.benchmarks.data_preparation --data DATA/crowdflower --tokenizer WEIGHTS/minilm-l6

Both sides go from the same texts in memory to tokens on disk that can be trained on: ours to a corpus with word numbers
(long texts cut into pieces, nothing lost), the script to Arrow (line by line: long texts cut off; grouped: joined and
cut into rows of 128). Clocked are tokenising and writing; each arm reports a second call, from the cache, too.
"""

import argparse
import json
import tempfile
import time
from typing import Any

from experiments.benchmarks.harness import Case, compare, parsed, parser
from experiments.benchmarks.pretraining import LENGTH, PEERS, joined
from experiments.benchmarks.texts import corpus_of, cut, product_texts, tokenizer_of


def main() -> None:
    args = arguments()
    if args.arm:
        print(json.dumps({"ours": ours, "theirs": theirs}[args.arm](args)))
        return
    cases = [Case(way, "tokens/s", [], f"datasets.map, {peer}", ("again_seconds",)) for way, peer in PEERS.items()]
    compare("data_preparation", cases, args)


def arguments() -> argparse.Namespace:
    made = parser(__doc__)
    made.add_argument("--data", default=None, help="folder of the crowdflower set; default: the demo shop")
    made.add_argument("--tokenizer", default=None, help="folder or hub name; default: trained on the texts")
    return parsed(made)


def prepared(args: argparse.Namespace) -> tuple[list[str], Any]:
    texts = product_texts(args.data)
    tokenizer = tokenizer_of(args.tokenizer, texts)
    if args.case == "line":
        texts = cut(texts, tokenizer, LENGTH)  # so that neither side cuts
    return texts, tokenizer


def ours(args: argparse.Namespace) -> dict[str, Any]:
    texts, tokenizer = prepared(args)
    with tempfile.TemporaryDirectory() as folder:

        def prepare() -> Any:
            return corpus_of(texts, tokenizer, LENGTH, folder)

        seconds, corpus = clocked(prepare)
        again, _ = clocked(prepare)
        return {"value": corpus.tokens / seconds, "again_seconds": again, "tokens": corpus.tokens}


def theirs(args: argparse.Namespace) -> dict[str, Any]:
    from datasets import Dataset

    texts, tokenizer = prepared(args)
    grouped = args.case == "grouped"
    with tempfile.TemporaryDirectory() as folder:
        source = Dataset.from_dict({"text": texts})
        source.save_to_disk(f"{folder}/texts")
        source = Dataset.load_from_disk(f"{folder}/texts")

        def tokenise(batch: dict[str, Any]) -> Any:
            cutting = {} if grouped else {"truncation": True, "max_length": LENGTH}
            return tokenizer(batch["text"], return_special_tokens_mask=True, **cutting)

        def prepare() -> Any:
            rows = source.map(tokenise, batched=True, remove_columns=["text"])
            return rows.map(joined, batched=True) if grouped else rows

        seconds, rows = clocked(prepare)
        again, _ = clocked(prepare)
        tokens = sum(len(row) for batch in rows.iter(1000) for row in batch["input_ids"])
    return {"value": tokens / seconds, "again_seconds": again, "tokens": tokens}


def clocked(function: Any) -> tuple[float, Any]:
    begun = time.perf_counter()
    found = function()
    return time.perf_counter() - begun, found


if __name__ == "__main__":
    main()
