"""A trained model as a folder that people and programs can use.

It is an ordinary Hugging Face folder (`config.json`, `model.safetensors`, tokenizer) with one file more, the card:
which fields the model reads, and which run of its outputs belongs to which target's classes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from shopguide.inference.card import Card, write_cards
from shopguide.models.backbone import quietly

WEIGHTS = "model.safetensors"


def save_model(folder: Path, model: nn.Module, tokenizer: Any, cards: Sequence[Card] = ()) -> None:
    """Write weights, config and tokenizer, and the cards of the tasks that the model serves."""
    folder.mkdir(parents=True, exist_ok=True)
    with quietly():
        model.save_pretrained(folder)  # type: ignore[operator]
    tokenizer.save_pretrained(folder)
    if cards:
        write_cards(folder, cards)
