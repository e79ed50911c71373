"""What must be known of a saved model to use it: `shopguide.json` beside its weights."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from shopguide.errors import ModelError
from shopguide.text.inputs import InputSpec

FILE = "shopguide.json"
FORMAT = 2
READABLE = (1, 2)
"""The first one knew classification alone."""
RETRIEVAL = "retrieval"
"""The kind of tasks that find products."""


@dataclass(frozen=True)
class Card:
    """What must be known of a model to use it."""

    task: str
    inputs: InputSpec
    targets: dict[str, list[str]]
    """Target → classes, in the order of the model's outputs; of tagging and extraction, the labels of spans."""
    max_length: int
    kind: str = "classification"
    """A task's kind, or `prompt`: classification through the masked-LM head."""
    offset: int = 0
    """The first of the network's outputs that is this task's, where a network serves several."""
    paths: list[list[int]] | None = None
    """Where the targets are levels of a tree: its paths, as numbers of the targets' classes."""
    temperatures: dict[str, float] = field(default_factory=dict)
    """Target → how much its network's posterior is softened, or sharpened below 1 (`tasks.temperature`)."""
    counted: str | None = None
    """The one class of two whose precision, recall and F1 are told."""
    gains: list[float] | None = None
    """Where the classes of the only target are grades in an order: what each is worth in a ranking."""
    prompt: dict[str, Any] | None = None
    """Template and words of `text.prompt`."""

    @property
    def sizes(self) -> list[int]:
        """Numbers of classes of the targets."""
        return [len(classes) for classes in self.targets.values()]

    def plain(self) -> dict[str, Any]:
        """For a JSON file."""
        return {**asdict(self), "inputs": self.inputs.to_dict()}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Card":
        """The inverse of `plain`."""
        known = {own.name: plain[own.name] for own in fields(cls) if own.name in plain}
        return cls(**{**known, "inputs": InputSpec.from_dict(plain["inputs"])})


def write_cards(folder: Path, cards: Sequence[Card]) -> None:
    """Write the cards of the tasks that a model serves beside its weights."""
    plain = {"format": FORMAT, "tasks": [card.plain() for card in cards]}
    (folder / FILE).write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")


def read_cards(folder: Path) -> list[Card]:
    """Read the cards of the tasks that a model serves.

    Raises:
        ModelError: there is none, or it is of another format.
    """
    path = folder / FILE
    if not path.is_file():
        raise ModelError(
            f"{folder}: expected a model fine-tuned by shopguide (with {FILE}), found no such file; "
            "give the folder or run of a fine-tuning phase, or a folder that shopguide.export wrote"
        )
    plain = json.loads(path.read_text(encoding="utf-8"))
    if plain.get("format") not in READABLE:
        raise ModelError(f"{path}: expected format {FORMAT}, found {plain.get('format')}; train the model again")
    return [Card.from_plain(one) for one in plain.get("tasks", [plain])]


def read_card(folder: Path, task: str | None = None) -> Card:
    """Read a task's card from beside the weights.

    Args:
        folder: of the model.
        task: which of several; a model of one task has no other.

    Raises:
        ModelError: as `read_cards`, or the model does not serve the task.
    """
    cards = read_cards(folder)
    chosen = cards if len(cards) == 1 else [card for card in cards if card.task == task]
    if not chosen:
        serves = ", ".join(card.task for card in cards)
        raise ModelError(f"{folder}: the model serves several tasks, say which with task=… ({serves}); found {task}")
    return chosen[0]
