"""intent: a message to the shop → what its sender wants of the customer service."""

from pydantic.dataclasses import dataclass

from shopguide.records.partition import Partition
from shopguide.records.splits import normalised
from shopguide.records.tables import Shop, column
from shopguide.tasks.task import OPTIONS, Examples, Task, Truth
from shopguide.text.inputs import InputSpec

TARGET = "intent"


@dataclass(config=OPTIONS, kw_only=True)
class Intent(Task):
    """Dialogues with an intent: the question is the text."""

    @property
    def inputs(self) -> InputSpec:
        """The question alone."""
        return InputSpec(("question",))

    @property
    def wants(self) -> str:
        """Dialogues with intents."""
        return "It needs dialogues (question) that have an intent."

    def examples(self, shop: Shop, parts: Partition, truth: Truth | None) -> Examples:
        """One example a dialogue whose intent is known."""
        found = Examples(labels={TARGET: []}, best=None if truth is None else {TARGET: []})
        questions, intents = column(shop.dialogues, "question"), column(shop.dialogues, "intent")
        for row, (question, intent) in enumerate(zip(questions, intents, strict=True)):
            if not intent:
                continue
            found.first.append(question)
            found.labels[TARGET].append(intent)
            found.split.append(str(parts.dialogues[row]))
            found.groups.append(normalised(question))
            if found.best is not None and truth is not None:
                found.best[TARGET].append(truth.intent(row))
        return found
