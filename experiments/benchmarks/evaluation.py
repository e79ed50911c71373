"""Perplexity of held-out text beside `Trainer.evaluate`: real tokens a second, and the peak of memory.

    python -m experiments.benchmarks.evaluation --data DATA/crowdflower --tokenizer WEIGHTS/minilm-l6

Both sides have the same texts, network, weights and batch, and mask 15 % of the tokens; each has the precision that it
comes with (`--peer` sets another for the script). Ours is the validation of the phase `pretrain`; clocked from its
first batch to its end.
"""

import argparse
import json
import tempfile
import time
from typing import Any

from experiments.benchmarks import training
from experiments.benchmarks.harness import Case, compare
from experiments.benchmarks.pretraining import LENGTH, LR, SHARE, arguments, prepared, shapes
from experiments.benchmarks.texts import corpus_of

TEXTS = 256


def main() -> None:
    args = arguments(__doc__)
    if args.arm:
        print(json.dumps({"ours": ours, "theirs": theirs}[args.arm](args)))
        return
    also, precision = ("loss", "peak_memory_gb"), training.precision(args)
    cases = [Case(shape, "tokens/s", [], "Trainer.evaluate", also, precision) for shape in shapes()]
    compare("evaluation", cases, args)


def network(options: dict[str, Any], tokenizer: Any, seed: int) -> Any:
    import torch
    from transformers import AutoConfig

    from shopguide.models.backbone import build_model

    torch.manual_seed(seed)
    return build_model(None, AutoConfig.for_model(**options), "masked_lm", tokenizer)


def ours(args: argparse.Namespace) -> dict[str, Any]:
    import pytorch_lightning as pl

    from shopguide.config import MaskingConfig, OptimizerConfig
    from shopguide.experiment.fit import chosen_precision
    from shopguide.experiment.pretrain import make_masker
    from shopguide.objectives.language_model import MaskedLM
    from shopguide.text.batches import Batches, BatchLoader
    from shopguide.text.examples import Collate, MaskedExamples
    from shopguide.text.plan import BatchPlan

    texts, tokenizer, options = prepared(args)
    with tempfile.TemporaryDirectory() as folder:
        table = corpus_of(texts[:TEXTS], tokenizer, LENGTH, folder).train
        masker = make_masker(MaskingConfig(strategy="token", probability=SHARE), tokenizer, args.seed)
        plan = BatchPlan(table.lengths, args.rows, shuffle=False, unpadded=True)
        loader = BatchLoader(MaskedExamples(table, masker), Batches(plan), Collate(tokenizer.pad_token_id), 0)
        module, begun = MaskedLM(network(options, tokenizer, args.seed), OptimizerConfig(lr=LR)), list[float]()
        trainer = pl.Trainer(
            default_root_dir=folder,
            logger=False,
            precision=chosen_precision("auto"),
            callbacks=[pl.callbacks.LambdaCallback(on_validation_start=lambda *_: begun.append(time.perf_counter()))],
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        (found,) = trainer.validate(module, loader, verbose=False)
        seconds = time.perf_counter() - begun[0]
        return reported(int(table.lengths.sum()), seconds, found["dev/loss"])


def theirs(args: argparse.Namespace) -> dict[str, Any]:
    from transformers import DataCollatorForLanguageModeling, Trainer, TrainingArguments
    from transformers.utils import logging

    logging.set_verbosity_error()
    texts, tokenizer, options = prepared(args)
    rows = [tokenizer(text, truncation=True, max_length=LENGTH) for text in texts[:TEXTS]]
    with tempfile.TemporaryDirectory() as folder:
        bf16 = training.peer_bf16(args)
        shown = {"report_to": [], "disable_tqdm": True}
        settings = TrainingArguments(folder, per_device_eval_batch_size=args.rows, seed=args.seed, bf16=bf16, **shown)
        collate = DataCollatorForLanguageModeling(tokenizer, mlm_probability=SHARE)
        loop = Trainer(network(options, tokenizer, args.seed), settings, eval_dataset=rows, data_collator=collate)
        begun = time.perf_counter()
        loss = loop.evaluate()["eval_loss"]
        return reported(sum(len(row["input_ids"]) for row in rows), time.perf_counter() - begun, loss)


def reported(tokens: int, seconds: float, loss: float) -> dict[str, Any]:
    return {"value": tokens / seconds, "loss": loss, "peak_memory_gb": training.peak_memory_gb()}


if __name__ == "__main__":
    main()
