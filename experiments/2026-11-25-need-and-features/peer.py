"""The usual script on the same texts: `transformers.Trainer` as in run_ner.py and run_glue.py.

    python PEER --set queryner --task spans --data DATA/queryner --model FOLDER   # PEER: this file

Same backbone, texts, splits, learning rate, epochs, batch, schedule and warm-up as the sweep beside it; the best epoch
by dev F1 is kept, as there. Spans are scored by seqeval, values as shopguide scores them (the first span found is the
value), classes by scikit-learn's macro F1; of several `--targets` each is learnt by a model of its own, and the mean is
told. Prints one JSON line last.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from datasets import Dataset
from seqeval.metrics import f1_score as span_f1
from sklearn.metrics import f1_score
from transformers import (
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    DataCollatorWithPadding,
    Trainer,
    TrainingArguments,
)

from shopguide.build import build_task
from shopguide.config import DataConfig, SplitConfig
from shopguide.experiment.finetune import drawn
from shopguide.experiment.prepare import load_material
from shopguide.inference.span_evaluation import score_values
from shopguide.tasks.labels import encode_labels, label_spaces
from shopguide.tasks.task import Examples
from shopguide.text.tags import Tags
from shopguide.text.words import word_ranges

IGNORED = -100
TAGGED = ("spans", "values")
TASKS = {name: f"shopguide.tasks.{name}.{name.title()}" for name in (*TAGGED, "features", "intent", "relevance")}


@dataclass
class Learner:
    """What differs between tagging and classification."""

    model: Any
    labels: int
    collator: Any
    encoded: Callable[[Examples], Dataset]
    scored: Callable[[Examples], Callable[[Any], dict[str, float]]]
    """What scores predictions for these examples."""


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--set", required=True, help="name of the reader")
    made.add_argument("--data", required=True, help="folder of the set")
    made.add_argument("--model", required=True, help="folder or hub name of the backbone")
    made.add_argument("--task", required=True, choices=sorted(TASKS))
    made.add_argument("--fields", nargs="+", help="of a product")
    made.add_argument("--targets", nargs="+", default=[None], help="of features")
    made.add_argument("--max-examples", type=int, help="of training, drawn by the seed")
    made.add_argument("--lr", type=float, default=3e-4)
    made.add_argument("--epochs", type=int, default=4)
    made.add_argument("--batch", type=int, default=32)
    made.add_argument("--split-by-seed", action="store_true", help="draw the split anew for each seed")
    made.add_argument("--fold-by-seed", action="store_true", help="the seed is the number of the published fold")
    made.add_argument("--options", nargs="+", default=[], help="of the reader, each key=value")
    made.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    args = made.parse_args()
    rows = []
    for seed in args.seeds:
        examples = [asked(args, seed, target) for target in args.targets]
        begun = time.process_time()
        f1 = [trained(own, args, seed) for own in examples]
        rows.append({"seed": seed, "f1": float(np.mean(f1)), "cpu_seconds": round(time.process_time() - begun, 1)})
        rows[-1] |= {"each": f1} if len(f1) > 1 else {}
        print(rows[-1], flush=True)
    metric = "f1" if args.task in TAGGED else "macro_f1"
    print(json.dumps({"set": args.set, "task": args.task, "metric": metric, "rows": rows}))


def asked(args: argparse.Namespace, seed: int, target: str | None) -> Examples:
    split = SplitConfig(by="group", seed=seed if args.split_by_seed else 0)
    more = dict(option.split("=", 1) for option in args.options) | ({"fold": seed} if args.fold_by_seed else {})
    material = load_material(DataConfig(name=args.set, reader=args.set, root=args.data, split=split, options=more))
    options: dict[str, Any] = {"target": TASKS[args.task]}
    options |= {"fields": args.fields} if args.fields else {}
    options |= {"targets": [target]} if args.task == "features" else {}
    found = build_task(args.task, options).examples(material.shop, material.parts, material.truth)
    known = [i for i in range(len(found)) if all(column[i] for column in found.labels.values())]
    return found.take(np.array(known))


def trained(examples: Examples, args: argparse.Namespace, seed: int) -> float:
    """F1 of the test split; of dev, where there is none."""
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    train = drawn(examples.of("train"), args.max_examples, seed)
    if train.spans is not None:  # of a value that does not stand in the text it is not known where
        train = train.take(np.array([row for row, spans in enumerate(train.spans) if spans is not None]))
    learner = (tagger if args.task in TAGGED else classifier)(train, tokenizer)
    dev, held_out = examples.of("dev"), examples.of("test" if "test" in examples.split else "dev")
    model = learner.model.from_pretrained(args.model, num_labels=learner.labels)
    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            folder,
            learning_rate=args.lr,
            num_train_epochs=args.epochs,
            per_device_train_batch_size=args.batch,
            per_device_eval_batch_size=args.batch,
            warmup_steps=0.06,
            weight_decay=0.01,
            seed=seed,
            eval_strategy="epoch",
            save_strategy="epoch",
            save_total_limit=1,
            load_best_model_at_end=True,
            metric_for_best_model="f1",
            report_to=[],
            disable_tqdm=True,
            logging_strategy="no",
            use_cpu=True,
        )
        trainer = Trainer(
            model,
            settings,
            train_dataset=learner.encoded(train),
            eval_dataset=learner.encoded(dev),
            data_collator=learner.collator,
            compute_metrics=learner.scored(dev),
        )
        trainer.train()
        trainer.compute_metrics = learner.scored(held_out)
        return float(trainer.evaluate(learner.encoded(held_out))["eval_f1"])


def tagger(train: Examples, tokenizer: Any) -> Learner:
    """Words with their tags at the first piece of each; of pairs, those of the second text, the first being asked."""
    tags = Tags(tuple(sorted({span.label for spans in train.spans or () for span in spans or ()})))
    names = np.array(tags.names)

    def encoded(examples: Examples) -> Dataset:
        rows: dict[str, list[list[int]]] = {"labels": []}
        for row, spans in enumerate(examples.spans or ()):
            words, cut = _pieces(tokenizer, examples, row)
            labels, numbers = tags.encode(words, spans or ()), _word_numbers(cut, examples)
            first = [n is not None and (i == 0 or numbers[i - 1] != n) for i, n in enumerate(numbers)]
            own = [int(labels[n]) if new else IGNORED for n, new in zip(numbers, first, strict=True)]
            for name, column in {**cut, "labels": own}.items():
                rows.setdefault(name, []).append(column)
        return Dataset.from_dict(rows)

    def scored(examples: Examples) -> Callable[[Any], dict[str, float]]:
        def f1(prediction: Any) -> dict[str, float]:
            pairs = zip(prediction.predictions.argmax(-1), prediction.label_ids, strict=True)
            kept = [(guess[truth != IGNORED], truth[truth != IGNORED]) for guess, truth in pairs]
            if examples.second is not None:
                found = [_value(tags, text, guess) for text, (guess, _) in zip(examples.second, kept, strict=True)]
                return {"f1": score_values(examples, found, intervals=False).metrics["f1"]}
            return {"f1": span_f1([names[t].tolist() for _, t in kept], [names[g].tolist() for g, _ in kept])}

        return f1

    collator = DataCollatorForTokenClassification(tokenizer)
    return Learner(AutoModelForTokenClassification, len(tags), collator, encoded, scored)


def _pieces(tokenizer: Any, examples: Examples, row: int) -> tuple[np.ndarray, Any]:
    """Character ranges of the words of the text that is tagged, and the text, or the pair, in pieces."""
    texts = [side[row] for side in (examples.first, examples.second) if side is not None]
    ranges = [word_ranges(text) for text in texts]
    words = [[text[a:b] for a, b in own] for text, own in zip(texts, ranges, strict=True)]
    return ranges[-1], tokenizer(*words, is_split_into_words=True, truncation=True, max_length=128)


def _word_numbers(cut: Any, examples: Examples) -> list[int | None]:
    """Of each piece, the number of its word in the text that is tagged."""
    own = int(examples.second is not None)
    return [n if side == own else None for n, side in zip(cut.word_ids(), cut.sequence_ids(), strict=True)]


def _value(tags: Tags, text: str, guess: np.ndarray) -> str | None:
    spans = tags.decode(word_ranges(text)[: len(guess)], guess)
    return text[spans[0][0].start : spans[0][0].end] if spans else None


def classifier(train: Examples, tokenizer: Any) -> Learner:
    """Texts or pairs with class numbers; classes that training has not count as wrong."""
    spaces = label_spaces(train)
    ((_, classes),) = spaces.items()

    def encoded(examples: Examples) -> Dataset:
        labels = encode_labels(examples, spaces)[:, 0]
        cut = tokenizer(examples.first, examples.second, truncation=True, max_length=128)
        return Dataset.from_dict({**cut, "labels": np.where(labels < len(classes), labels, IGNORED).tolist()})

    def scored(examples: Examples) -> Callable[[Any], dict[str, float]]:
        truth = encode_labels(examples, spaces)[:, 0]

        def f1(prediction: Any) -> dict[str, float]:
            guess = prediction.predictions.argmax(-1)
            return {"f1": f1_score(truth[truth >= 0], guess[truth >= 0], average="macro", zero_division=0)}

        return f1

    collator = DataCollatorWithPadding(tokenizer)
    return Learner(AutoModelForSequenceClassification, len(classes), collator, encoded, scored)


if __name__ == "__main__":
    main()
