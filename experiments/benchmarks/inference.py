"""Answering with a classifier beside `transformers.pipeline`: texts a second in batches of 32, and one at a time.

    python -m experiments.benchmarks.inference --data DATA/crowdflower --model WEIGHTS/minilm-l6

Both sides have the same network and weights, the same texts (queries, or pairs of a query and a product) in the same
random order; ours takes bfloat16 where the hardware has it. It is not told a batch of 32, it fills batches by tokens.
Each arm reports how many of its answers are those of the plain network, run text by text. `… cross_encoder` has
sentence-transformers' `CrossEncoder.predict` for a peer. Exported models and their peers run on the CPU, all else on a
GPU where there is one, the peers in bfloat16 there (`--peer` sets another).

The network's head is not trained, and so more of its calls are close than a trained one's: `--classifier` names the
folder of a model that shopguide has fine-tuned, and `--texts` a file with a query of its task in each line.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from experiments.benchmarks import training
from experiments.benchmarks.finetuning import LENGTH, add_pairs, prepared
from experiments.benchmarks.harness import Case, compare, parsed, parser

COUNT = {"pairs": 400, "queries": 2000, "one pair": 60, "one query": 150}
"""Texts of a case; each is run by the model as it is trained, exported, and exported with 8-bit weights, with and
without a second look at close calls."""
FORMS = ("torch", "onnx", "int8", "checked")
EXPORTED = FORMS[1:]
OTHERS = 512
"""Texts on which it is measured which calls are close."""
PEERS = {"cross_encoder": "sentence-transformers CrossEncoder.predict"}
"""By the last word of a case; else `transformers.pipeline`."""


def main() -> None:
    args = arguments()
    if args.arm:
        print(json.dumps(answered(args)))
        return
    forms = [(name, form) for name in COUNT for form in FORMS] + [("pairs", "cross_encoder")]
    compare("inference", [case_of(name, form, args) for name, form in forms], args)


def case_of(name: str, form: str, args: argparse.Namespace) -> Case:
    own, theirs = form if form in EXPORTED else "auto", "bf16" if peer_bf16(f"{name} {form}", args) else "32"
    also = ("p50_ms", "agreement", "peak_memory_gb")
    peer = PEERS.get(form, "transformers.pipeline")
    return Case(f"{name} {form}", "texts/s", [], peer, also, f"{own} : {theirs}")


def arguments() -> argparse.Namespace:
    made = parser(__doc__)
    add_pairs(made)
    made.add_argument("--classifier", default=None, help="folder of a fine-tuned classifier, with --texts")
    made.add_argument("--texts", type=Path, default=None, help="file with a query in each line")
    training.add_peer(made)
    return parsed(made)


def peer_bf16(case: str, args: argparse.Namespace) -> bool:
    """As `training.peer_bf16`, which is about the device that trains, has it for the device of the arm."""
    return training.peer_bf16(args) and (args.peer is not None or device(case) == "cuda")


def device(case: str) -> str:
    """That of an arm: exported models run on the CPU, and so do their peers."""
    import torch

    return "cuda" if torch.cuda.is_available() and case.rpartition(" ")[2] not in EXPORTED else "cpu"


def answered(args: argparse.Namespace) -> dict[str, Any]:
    """Time one arm on its texts; the first quarter of them pays for warming up, once, and is not counted."""
    classifier, first, second, others = trained(args)
    with tempfile.TemporaryDirectory() as folder:
        peer = by_cross_encoder if args.case.endswith("cross_encoder") else by_pipeline
        answer = ours(args, classifier, folder, others) if args.arm == "ours" else peer(args, classifier, folder)
        size = 1 if args.case.startswith("one") else 32
        quarter = len(first) // 4
        answer(first[:quarter], second and second[:quarter], size)
        times, found = [], []
        begun = time.perf_counter()
        for start in range(0, len(first), len(first) if size > 1 else 1):
            stop = start + (len(first) if size > 1 else 1)
            clock = time.perf_counter()
            found += answer(first[start:stop], second and second[start:stop], size)
            times.append(time.perf_counter() - clock)
        seconds, memory = time.perf_counter() - begun, training.peak_memory_gb()
        reference = plain_answers(classifier.model.cpu(), classifier.tokenizer, first, second)
    return {
        "value": len(first) / seconds,
        "p50_ms": 1000 * statistics.median(times) / (len(first) if size > 1 else 1),
        "agreement": float(np.mean(np.array(found) == reference)),
        "peak_memory_gb": memory,
    }


def trained(args: argparse.Namespace) -> tuple[Any, list[str], list[str] | None, Any]:
    """The classifier of both sides, on the CPU in full precision, the case's texts, and others of their kind."""
    from shopguide.inference.card import Card
    from shopguide.inference.predictor import Predictor

    draw, count = np.random.default_rng(0), COUNT[args.case.rpartition(" ")[0]]
    if args.classifier:
        lines = args.texts.read_text(encoding="utf-8").splitlines()
        texts = [lines[row] for row in draw.permutation(len(lines))]
        classifier = Predictor.load(args.classifier, "cpu", precision=32)
        return classifier, texts[:count], None, (texts[count : count + OTHERS], None)
    (task, examples), tokenizer, model = prepared(args)
    order = draw.permutation(len(examples))
    card = Card("relevance", task.inputs, {"grade": ["1", "2", "3", "4"]}, LENGTH)
    classifier = Predictor(network(model, tokenizer), tokenizer, card, "cpu", 32)
    own, others = (
        (list(part.first), list(part.second) if "pair" in args.case else None)
        for part in (examples.take(order[:count]), examples.take(order[count : count + OTHERS]))
    )
    return classifier, *own, others


def plain_answers(model: Any, tokenizer: Any, first: list[str], second: list[str] | None) -> Any:
    """The answers of the padded network, one text after the other: what all arms are held against."""
    import torch

    found = []
    with torch.inference_mode():
        for row, text in enumerate(first):
            pair = second[row] if second else None
            inputs = tokenizer(text, pair, truncation=True, max_length=LENGTH, return_tensors="pt")
            found.append(int(model(**inputs).logits.argmax()))
    return np.array(found)


def network(model: Any, tokenizer: Any) -> Any:
    """A classifier of four classes whose head is far from even."""
    import torch

    from shopguide.models.backbone import backbone_config, build_model

    torch.manual_seed(0)
    made = build_model(model.path, backbone_config(model), "classification", tokenizer, num_labels=4).eval()
    with torch.no_grad():
        made.classifier.weight.mul_(50)
    return made


def ours(args: argparse.Namespace, classifier: Any, folder: str, others: Any) -> Any:
    from shopguide.inference.export import export
    from shopguide.inference.load import load_model
    from shopguide.inference.predictor import Predictor

    form = args.case.rpartition(" ")[2]
    predictor: Any = Predictor(classifier.model, classifier.tokenizer, classifier.card, device(args.case))
    if form in EXPORTED:
        predictor.save(f"{folder}/trained")
        calls = others if form == "checked" else None
        export(Path(folder) / "trained", Path(folder) / "exported", int8=form != "onnx", calls=calls)
        predictor = load_model(f"{folder}/exported")

    def answer(first: list[str], second: list[str] | None, _size: int) -> list[int]:
        (posterior,) = predictor.network_posterior(first, second).values()
        return [int(i) for i in posterior.argmax(1)]

    return answer


def written(classifier: Any, folder: str, bf16: bool) -> dict[str, Any]:
    """Write the network for a peer; the precision that it is to load it in."""
    import torch
    from transformers.utils import logging

    logging.set_verbosity_error()
    classifier.model.save_pretrained(folder)
    classifier.tokenizer.save_pretrained(folder)
    return {"dtype": torch.bfloat16} if bf16 else {}


def by_cross_encoder(args: argparse.Namespace, classifier: Any, folder: str) -> Any:
    from sentence_transformers.cross_encoder import CrossEncoder

    options = written(classifier, folder, peer_bf16(args.case, args))
    encoder = CrossEncoder(folder, max_length=LENGTH, device=device(args.case), model_kwargs=options)

    def answer(first: list[str], second: list[str], size: int) -> list[int]:
        texts = list(zip(first, second, strict=True))
        return [int(i) for i in encoder.predict(texts, batch_size=size, show_progress_bar=False).argmax(1)]

    return answer


def by_pipeline(args: argparse.Namespace, classifier: Any, folder: str) -> Any:
    from transformers import pipeline

    options = written(classifier, folder, peer_bf16(args.case, args))
    classify = pipeline("text-classification", model=folder, tokenizer=folder, device=device(args.case), **options)
    number = classify.model.config.label2id

    def answer(first: list[str], second: list[str] | None, size: int) -> list[int]:
        texts = [{"text": a, "text_pair": b} for a, b in zip(first, second, strict=True)] if second else first
        found = classify(texts, batch_size=size, truncation=True, max_length=LENGTH)
        return [number[row["label"]] for row in found]

    return answer


if __name__ == "__main__":
    main()
