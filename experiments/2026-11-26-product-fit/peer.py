"""sentence-transformers on the same texts: `CrossEncoderTrainer` for pairs, `SentenceTransformerTrainer` for vectors.

    python PEER --set homedepot --task search --data DATA/homedepot --model FOLDER   # PEER: this file

Same backbone, texts, splits, learning rate, epochs, batch, schedule and warm-up as the sweep beside it. Of pairs, the
best epoch by the same dev metric is kept, as there; of vectors the last one. What the model says is scored by
shopguide. Prints one JSON line last.
"""

import argparse
import copy
import json
import tempfile
import time
from typing import Any

import numpy as np
import torch
from datasets import Dataset
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
    models,
)
from sentence_transformers.cross_encoder import CrossEncoder, CrossEncoderTrainer, CrossEncoderTrainingArguments
from sentence_transformers.cross_encoder.losses import CrossEntropyLoss
from sentence_transformers.losses import MultipleNegativesRankingLoss
from sentence_transformers.training_args import BatchSamplers
from transformers import TrainerCallback

from shopguide.build import build_task
from shopguide.config import DataConfig, FinetuneConfig, SplitConfig
from shopguide.experiment.finetune import drawn
from shopguide.experiment.heads.head import head_of
from shopguide.experiment.heads.retrieval import known_rows
from shopguide.experiment.prepare import load_material
from shopguide.inference.evaluation import Scores
from shopguide.inference.retrieval import DEPTH, least_relevant, without
from shopguide.inference.vectors import Vectors
from shopguide.tasks.task import Examples, Task

LENGTH = 128
TEMPERATURE = 0.05
CHOSEN_BY = {"relevance": "ndcg_at_10", "match": "macro_f1"}
TASKS = {name: f"shopguide.tasks.{name}.{name.title()}" for name in (*CHOSEN_BY, "search", "recommend", "similar")}


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--set", required=True, help="name of the set")
    made.add_argument("--reader", help="of the set, where it has another name")
    made.add_argument("--data", required=True, help="folder of the set")
    made.add_argument("--model", required=True, help="folder or hub name of the backbone")
    made.add_argument("--task", required=True, choices=sorted(TASKS))
    made.add_argument("--fields", nargs="+", help="of a product")
    made.add_argument("--steps", type=int, help="of recommend")
    made.add_argument("--max-examples", type=int, help="of training, drawn by the seed")
    made.add_argument("--lr", type=float, default=2e-4)
    made.add_argument("--epochs", type=int, default=3, help="0: the backbone as it is (search)")
    made.add_argument("--batch", type=int, default=32)
    made.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    args = made.parse_args()
    rows = []
    for seed in args.seeds:
        task, examples = asked(args, seed)
        seconds, scores = (crossed if args.task in CHOSEN_BY else searched)(task, examples, args, seed)
        rows.append({"seed": seed, "training_seconds": round(seconds, 1), **scores.metrics})
        print(rows[-1], flush=True)
    print(json.dumps({"set": args.set, "task": args.task, "rows": rows}))


def asked(args: argparse.Namespace, seed: int) -> tuple[Task, Examples]:
    split = SplitConfig(by="group", seed=seed)
    data = DataConfig(name=args.set, reader=args.reader or args.set, root=args.data, split=split)
    material = load_material(data)
    given = {"fields": args.fields, "steps": args.steps}
    options = {"target": TASKS[args.task]} | {name: value for name, value in given.items() if value}
    task = build_task(args.task, options)
    return task, task.checked_examples(material.shop, material.parts, material.truth)


def settings(cls: Any, folder: str, args: argparse.Namespace, seed: int, **more: Any) -> Any:
    return cls(
        folder,
        learning_rate=args.lr,
        num_train_epochs=args.epochs,
        per_device_train_batch_size=args.batch,
        warmup_steps=0.06,
        weight_decay=0.01,
        seed=seed,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        logging_strategy="no",
        bf16=torch.cuda.is_available(),
        use_cpu=not torch.cuda.is_available(),
        **more,
    )


def crossed(task: Task, examples: Examples, args: argparse.Namespace, seed: int) -> tuple[float, Scores]:
    """Training seconds, and the scores of the test split; of dev, where there is none."""
    train, dev = drawn(examples.of("train"), args.max_examples, seed), examples.of("dev")
    held_out = examples.of("test" if "test" in examples.split else "dev")
    head = head_of("classification")
    card = head.card(task, train, FinetuneConfig(epochs=args.epochs, max_length=LENGTH))
    ((target, classes),) = card.targets.items()
    torch.manual_seed(seed)
    encoder = CrossEncoder(args.model, num_labels=len(classes), max_length=LENGTH)

    def scored(part: Examples) -> Scores:
        pairs = list(zip(part.first, part.second or (), strict=True))
        logits = torch.tensor(encoder.predict(pairs, activation_fn=torch.nn.Identity(), show_progress_bar=False))
        return head.score(card, part, {target: logits.float().softmax(-1).numpy()})

    best = Best(encoder, lambda: scored(dev).metrics[CHOSEN_BY[args.task]])
    number = {name: i for i, name in enumerate(classes)}
    rows = {"query": train.first, "product": train.second, "label": [number[y] for y in train.labels[target]]}
    with tempfile.TemporaryDirectory() as folder:
        trainer = CrossEncoderTrainer(
            model=encoder,
            args=settings(CrossEncoderTrainingArguments, folder, args, seed),
            train_dataset=Dataset.from_dict(rows),
            loss=CrossEntropyLoss(encoder),
            callbacks=[best],
        )
        begun = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - begun - best.seconds
    encoder.load_state_dict(best.state)
    return seconds, scored(held_out)


class Best(TrainerCallback):
    """The weights of the best epoch, and the seconds that looking for it took."""

    def __init__(self, model: torch.nn.Module, score: Any) -> None:
        self.model, self.score = model, score
        self.value, self.seconds, self.state = float("-inf"), 0.0, model.state_dict()

    def on_epoch_end(self, *_: Any, **__: Any) -> None:
        begun = time.perf_counter()
        self.model.eval()
        value = self.score()
        self.model.train()
        if value > self.value:
            self.value, self.state = value, copy.deepcopy(self.model.state_dict())
        self.seconds += time.perf_counter() - begun


def searched(task: Task, examples: Examples, args: argparse.Namespace, seed: int) -> tuple[float, Scores]:
    """As `crossed`, of the whole catalogue."""
    train = drawn(examples.of("train"), args.max_examples, seed)
    held_out, catalogue = examples.of("test" if "test" in examples.split else "dev"), examples.catalogue
    assert catalogue is not None
    text, least = dict(zip(catalogue.ids, catalogue.texts, strict=True)), least_relevant(train.wanted or [])
    wanted = zip(train.first, train.wanted or (), strict=True)
    pairs = [(query, text[item]) for query, worth in wanted for item, gain in worth.items() if gain >= least]
    torch.manual_seed(seed)
    backbone = models.Transformer(args.model, max_seq_length=LENGTH)
    encoder = SentenceTransformer(modules=[backbone, models.Pooling(backbone.get_word_embedding_dimension())])
    with tempfile.TemporaryDirectory() as folder:
        own = settings(
            SentenceTransformerTrainingArguments, folder, args, seed, batch_sampler=BatchSamplers.NO_DUPLICATES
        )
        trainer = SentenceTransformerTrainer(
            model=encoder,
            args=own,
            train_dataset=Dataset.from_dict(
                dict(zip(("query", "product"), map(list, zip(*pairs, strict=True)), strict=True))
            ),
            loss=MultipleNegativesRankingLoss(encoder, scale=1 / TEMPERATURE),
        )
        begun = time.perf_counter()
        if args.epochs:
            trainer.train()
        seconds = time.perf_counter() - begun
    vectors = [
        np.asarray(encoder.encode(texts, normalize_embeddings=True, show_progress_bar=False))
        for texts in (catalogue.texts, held_out.first)
    ]
    known = known_rows(held_out)
    deeper = DEPTH + max(map(len, known or ()), default=0)
    found = Vectors(catalogue, vectors[0]).nearest(vectors[1], deeper)
    found = found if known is None else without(found, known, min(DEPTH, len(catalogue)))
    return seconds, head_of("retrieval").score(
        head_of("retrieval").card(task, train, FinetuneConfig(epochs=1)), held_out, found
    )


if __name__ == "__main__":
    main()
