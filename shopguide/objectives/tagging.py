"""Fine-tuning on spans: a class a word, L(θ) = −Σₜ log P(tagₜ | x; θ), or another loss.

The words' first tokens carry the tags (`text.tagged`); the spans of the dev texts are decoded as they are in use.

Shapes: M tagged words of a batch, K tags.
"""

from collections.abc import Sequence

import numpy as np
import torch

from shopguide.metrics.spans import NAMES, Labelled, span_counts, span_scores
from shopguide.models.unpadded import Batch
from shopguide.objectives.classification import Classification
from shopguide.objectives.labelled import labelled_logits, labelled_positions, pinned
from shopguide.text.masking import IGNORE
from shopguide.text.tags import Tags, decoded


class Tagging(Classification):
    """A classifier of words; `counts` are those of the tags, in the order of `Tags`."""

    def on_before_batch_transfer(self, batch: Batch, _loader: int) -> Batch:
        """The tagged words are found on the CPU."""
        places = labelled_positions(batch["labels"])
        rows = self._known(batch["labels"].flatten()[places][:, None])
        return batch | {"labelled": pinned(places), "known": [pinned(own) for own in rows]}

    def outputs(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """(M, K) outputs and (M, 1) tags."""
        logits, tags = labelled_logits(self.model, batch, batch["labels"])
        return logits, tags[:, None]

    def positions(self, batch: Batch) -> int | torch.Tensor:
        """The tagged words."""
        tagged: torch.Tensor = (batch["labels"] != IGNORE).sum()
        return tagged

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Keep the outputs of a batch, and how many words each of its texts has."""
        logits, tags = self.outputs(batch)
        known = tags[:, 0] != IGNORE
        self._seen.append((logits[known].float().cpu(), tags[known].cpu()))
        self._words += (batch["labels"] != IGNORE).sum(1).tolist()

    def on_validation_epoch_start(self) -> None:
        """Numbers of words of the texts that are seen."""
        self._words: list[int] = []

    def on_validation_epoch_end(self) -> None:
        """Log `dev/loss` and the span metrics; words that the cut of long texts leaves out do not count here."""
        if not self._seen:
            return
        logits, truth = (torch.cat(column) for column in zip(*self._seen, strict=True))
        self._seen.clear()
        self.log("dev/loss", self.loss_of(logits, truth))
        found = decoded(logits.softmax(-1).numpy(), self._words)
        true = np.split(truth[:, 0].numpy(), np.cumsum(self._words)[:-1])
        tags = Tags(tuple(str(label) for label in range(self.sizes[0] // 2)))
        scores = span_scores(span_counts(_spans(tags, true), _spans(tags, found), tags.labels).sum(0))
        for name, value in zip(NAMES, scores, strict=False):
            self.log(f"dev/{name}", float(value), prog_bar=name == "f1")


def _spans(tags: Tags, rows: Sequence[np.ndarray]) -> list[set[Labelled]]:
    """The spans of each text, in numbers of words."""
    every = ((row, np.stack([np.arange(len(row)), np.arange(len(row)) + 1], axis=1)) for row in rows)
    return [{(span[:2], span.label) for span, _, _ in tags.decode(words, row)} for row, words in every]
