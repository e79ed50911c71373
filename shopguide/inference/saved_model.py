"""A trained model as a folder that people and programs can use.

It is an ordinary Hugging Face folder (`config.json`, `model.safetensors`, tokenizer) with one file more, the card:
which fields the model reads, and which run of its outputs belongs to which target's classes.
"""

from pathlib import Path
from typing import Any

from torch import nn

from shopguide.inference.card import Card
from shopguide.models.backbone import quietly


def save_model(folder: Path, model: nn.Module, tokenizer: Any, card: Card | None = None) -> None:
    """Write weights, config and tokenizer, and the card of a task model."""
    folder.mkdir(parents=True, exist_ok=True)
    with quietly():
        model.save_pretrained(folder)  # type: ignore[operator]
    tokenizer.save_pretrained(folder)
    if card is not None:
        card.write(folder)
