"""A masked-LM script as people write it on `transformers.Trainer`: what `startup` compares with."""

import time
from dataclasses import dataclass
from typing import Any

from datasets import load_dataset
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoTokenizer,
    DataCollatorForLanguageModeling,
    HfArgumentParser,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)


@dataclass
class Texts:
    texts: str = "products.jsonl"
    tokenizer: str = "tokenizer"
    max_length: int = 128


class FirstStep(TrainerCallback):
    def on_step_end(self, *_: Any, **__: Any) -> None:
        print("first step", time.time(), flush=True)


def main() -> None:
    texts, settings = HfArgumentParser((Texts, TrainingArguments)).parse_args_into_dataclasses()
    tokenizer = AutoTokenizer.from_pretrained(texts.tokenizer)
    rows = load_dataset("json", data_files=texts.texts, cache_dir=f"{settings.output_dir}/cache", split="train")
    rows = rows.map(
        lambda batch: tokenizer(batch["title"], truncation=True, max_length=texts.max_length),
        batched=True,
        remove_columns=rows.column_names,
    )
    config = AutoConfig.for_model(
        "bert",
        vocab_size=len(tokenizer),
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=512,
    )
    settings.max_steps, settings.per_device_train_batch_size = 1, 32
    settings.report_to, settings.save_strategy = [], "no"
    Trainer(
        AutoModelForMaskedLM.from_config(config),
        settings,
        train_dataset=rows,
        data_collator=DataCollatorForLanguageModeling(tokenizer),
        callbacks=[FirstStep()],
    ).train()


if __name__ == "__main__":
    main()
