"""What must be known of a saved model to use it: `shopguide.json` beside its weights."""

import json
from dataclasses import dataclass
from pathlib import Path

from shopguide.errors import ModelError
from shopguide.tasks.task import Kind
from shopguide.text.inputs import InputSpec

FILE = "shopguide.json"
FORMAT = 2
READABLE = (1, 2)
"""The first one knew classification alone."""


@dataclass(frozen=True)
class Card:
    """What must be known of a model to use it."""

    task: str
    inputs: InputSpec
    targets: dict[str, list[str]]
    """Target → classes, in the order of the model's outputs; of tagging and extraction, the labels of spans."""
    max_length: int
    kind: Kind = "classification"

    def write(self, folder: Path) -> None:
        """Write it beside the weights."""
        plain = {
            "format": FORMAT,
            "task": self.task,
            "kind": self.kind,
            "inputs": self.inputs.to_dict(),
            "targets": self.targets,
            "max_length": self.max_length,
        }
        (folder / FILE).write_text(json.dumps(plain, ensure_ascii=False, indent=1), encoding="utf-8")

    @classmethod
    def read(cls, folder: Path) -> "Card":
        """Read it from beside the weights.

        Raises:
            ModelError: there is none, or it is of another format.
        """
        path = folder / FILE
        if not path.is_file():
            raise ModelError(
                f"{folder}: expected a model fine-tuned by shopguide (with {FILE}), found no such file; "
                "give the folder or run of a fine-tuning phase"
            )
        plain = json.loads(path.read_text(encoding="utf-8"))
        if plain.get("format") not in READABLE:
            raise ModelError(f"{path}: expected format {FORMAT}, found {plain.get('format')}; train the model again")
        inputs, kind = InputSpec.from_dict(plain["inputs"]), plain.get("kind", "classification")
        return cls(plain["task"], inputs, plain["targets"], plain["max_length"], kind)
