"""The usual tagger on the same texts: `transformers.Trainer` as in run_ner.py, scored by seqeval.

    python experiments/2026-11-25-need-and-features/peer.py --set queryner --data DATA/queryner --model FOLDER

Same backbone, words, splits, epochs, learning rate, batch of 32, schedule and warm-up as the sweep beside it; the best
epoch by dev F1 is kept, as there. Prints one JSON line last.
"""

import argparse
import json
import tempfile
import time
from typing import Any

import numpy as np
from datasets import Dataset
from seqeval.metrics import f1_score
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    DataCollatorForTokenClassification,
    Trainer,
    TrainingArguments,
)

from shopguide.config import DataConfig
from shopguide.experiment.prepare import load_material
from shopguide.tasks.spans import Spans
from shopguide.tasks.task import Examples
from shopguide.text.tags import Tags
from shopguide.text.words import word_ranges

IGNORED = -100


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--set", required=True, help="name of the reader")
    made.add_argument("--data", required=True, help="folder of the set")
    made.add_argument("--model", required=True, help="folder or hub name of the backbone")
    made.add_argument("--lr", type=float, default=3e-4)
    made.add_argument("--epochs", type=int, default=4)
    made.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    args = made.parse_args()
    material = load_material(DataConfig(name=args.set, reader=args.set, root=args.data))
    examples = Spans(name="spans").examples(material.shop, material.parts, None)
    rows = []
    for seed in args.seeds:
        begun = time.perf_counter()
        f1 = trained(examples, args, seed)
        rows.append({"seed": seed, "f1": f1, "seconds": round(time.perf_counter() - begun, 1)})
        print(rows[-1], flush=True)
    print(json.dumps({"set": args.set, "peer": "transformers.Trainer", "rows": rows}))


def trained(examples: Examples, args: argparse.Namespace, seed: int) -> float:
    """F1 of the dev spans."""
    train, dev = examples.of("train"), examples.of("dev")
    tags = Tags(tuple(sorted({span.label for spans in train.spans or () for span in spans or ()})))
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModelForTokenClassification.from_pretrained(args.model, num_labels=len(tags))
    names = np.array(tags.names)

    def scored(prediction: Any) -> dict[str, float]:
        pairs = zip(prediction.predictions.argmax(-1), prediction.label_ids, strict=True)
        kept = [(guess[truth != IGNORED], truth[truth != IGNORED]) for guess, truth in pairs]
        return {"f1": f1_score([names[t].tolist() for _, t in kept], [names[g].tolist() for g, _ in kept])}

    with tempfile.TemporaryDirectory() as folder:
        settings = TrainingArguments(
            folder,
            learning_rate=args.lr,
            num_train_epochs=args.epochs,
            per_device_train_batch_size=32,
            per_device_eval_batch_size=32,
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
            train_dataset=encoded(train, tokenizer, tags),
            eval_dataset=encoded(dev, tokenizer, tags),
            data_collator=DataCollatorForTokenClassification(tokenizer),
            compute_metrics=scored,
        )
        trainer.train()
        return float(trainer.evaluate()["eval_f1"])


def encoded(examples: Examples, tokenizer: Any, tags: Tags) -> Dataset:
    """Words with their tags at the first piece of each."""
    rows: dict[str, list[list[int]]] = {"input_ids": [], "labels": []}
    for text, spans in zip(examples.first, examples.spans or (), strict=True):
        words = word_ranges(text)
        labels = tags.encode(words, spans or ())
        cut = tokenizer([text[a:b] for a, b in words], is_split_into_words=True, truncation=True, max_length=128)
        numbers = cut.word_ids()
        first = [n is not None and (i == 0 or numbers[i - 1] != n) for i, n in enumerate(numbers)]
        rows["input_ids"].append(cut["input_ids"])
        rows["labels"].append([int(labels[n]) if new else IGNORED for n, new in zip(numbers, first, strict=True)])
    return Dataset.from_dict(rows)


if __name__ == "__main__":
    main()
