"""Texts that both sides of a benchmark read: products of a public set, or of the generated shop."""

import json
from pathlib import Path
from typing import Any

from shopguide.config import DataConfig
from shopguide.experiment.prepare import load_material

CACHE = ".cache/shopguide"


def product_texts(root: str | None) -> list[str]:
    """Title and description of each product of `crowdflower` below `root`, or of the demo shop."""
    data = (
        DataConfig(name="crowdflower", reader="crowdflower", root=root, cache_dir=CACHE)
        if root
        else DataConfig(name="demo", reader="demo", cache_dir=CACHE)
    )
    products = load_material(data).shop.products
    return [f"{p['title']} {p['description'] or ''}".strip() for p in products]


def tokenizer_of(source: str | None, texts: list[str]) -> Any:
    """The tokenizer of a folder or hub name, or one trained on the texts."""
    from shopguide.text.tokenizer import load_tokenizer, train_tokenizer

    return load_tokenizer(source) if source else train_tokenizer(iter(texts), 8000, "bert")


def cut(texts: list[str], tokenizer: Any, length: int) -> list[str]:
    """The texts as far as `length` tokens reach, special ones included: so both sides read the same."""
    encoded = tokenizer(texts, truncation=True, max_length=length, return_offsets_mapping=True)
    ends = [max(end for _, end in offsets) for offsets in encoded["offset_mapping"]]
    return [text[:end] for text, end in zip(texts, ends, strict=True)]


def corpus_of(texts: list[str], tokenizer: Any, length: int, folder: str) -> Any:
    """The texts tokenised into `folder`, all of them to train on."""
    from shopguide.text.corpus import tokenised_corpus

    return tokenised_corpus(
        ([text] for text in texts),
        tokenizer,
        max_length=length,
        held_out=0.0,
        segmenter=None,
        cache_dir=Path(folder),
        identity={},
    )


def write_products(texts: list[str], folder: Path) -> str:
    """A shop whose products are titled by the texts; its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "products.jsonl").open("w", encoding="utf-8") as file:
        for number, text in enumerate(texts):
            file.write(json.dumps({"item_id": f"I{number}", "title": text}, ensure_ascii=False) + "\n")
    return str(folder)
