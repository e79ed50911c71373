"""Continued pretraining: masked LM and causal LM, with the head only where there is loss.

L_MLM(θ) = −Σᵢ log P(wᵢ | x∖ᵢ; θ) over the masked positions i (Devlin et al. 2019), as a mean over the positions of a
batch.
"""

import math

import torch
from torch import nn
from torch.nn.functional import pad

from shopguide.models.head import output_layer, states_at
from shopguide.models.unpadded import Batch
from shopguide.objectives.head_loss import head_loss, head_sums, rows_at_once
from shopguide.objectives.labelled import labelled_logits, labelled_positions, pinned
from shopguide.objectives.objective import Objective
from shopguide.objectives.token_loss import summed_loss, token_loss
from shopguide.text.masking import IGNORE

MAX_EXPONENT = 50.0


class LanguageModel(Objective):
    """Loss and accuracy over the positions whose token must be told; perplexity over the held-out text."""

    def on_validation_epoch_start(self) -> None:
        """Sums over the held-out text: loss, right guesses, positions."""
        self._sums = torch.zeros(3, dtype=torch.float64)

    def targets(self, batch: Batch) -> torch.Tensor:
        """(B, L) the id that must be told at each position; -100 where there is none."""
        labels: torch.Tensor = batch["labels"]
        return labels

    def on_before_batch_transfer(self, batch: Batch, _loader: int) -> Batch:
        """Where there is loss is found on the CPU."""
        return batch | {"labelled": pinned(labelled_positions(self.targets(batch)))}

    def positions(self, batch: Batch) -> torch.Tensor:
        """Those that carry loss."""
        return (self.targets(batch) >= 0).sum()

    def loss(self, batch: Batch) -> torch.Tensor:
        """Mean over the positions that carry loss."""
        if (layer := self._in_parts(batch)) is not None:
            states, truth = labelled_logits(self.model, batch, self.targets(batch), states_at)
            return head_loss(states, layer, truth)
        return token_loss(*labelled_logits(self.model, batch, self.targets(batch)))

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Add a batch to the sums."""
        if (layer := self._in_parts(batch)) is not None:
            states, truth = labelled_logits(self.model, batch, self.targets(batch), states_at)
            loss, right = head_sums(states, layer, truth)
        else:
            logits, truth = labelled_logits(self.model, batch, self.targets(batch))
            loss, right = summed_loss(logits, truth), (logits.argmax(-1) == truth).sum()
        self._sums += torch.stack([loss, right.double(), (truth != IGNORE).sum().double()]).cpu()

    def on_validation_epoch_end(self) -> None:
        """Log `dev/loss`, `dev/perplexity` and `dev/masked_accuracy` (for a causal LM: of the next token)."""
        loss, right, count = self._sums.tolist()
        mean = loss / max(count, 1)
        self.log("dev/loss", mean, prog_bar=True)
        self.log("dev/perplexity", math.exp(min(mean, MAX_EXPONENT)))
        self.log(self.accuracy_name, right / max(count, 1))

    accuracy_name = "dev/masked_accuracy"

    def _in_parts(self, batch: Batch) -> nn.Linear | None:
        """The head's last layer, where a batch has too many positions for the logits of all of them at once."""
        words, ids = int(self.model.config.vocab_size), batch["input_ids"]  # type: ignore[union-attr, arg-type]
        known = batch.get("labelled")
        count = ids.numel() if known is None else len(known)
        return output_layer(self.model) if count > rows_at_once(words, ids.device) else None


class MaskedLM(LanguageModel):
    """Restore the masked positions of a text (`labels` as `text.masking` draws them)."""


class CausalLM(LanguageModel):
    """Tell each token from those before it."""

    accuracy_name = "dev/next_token_accuracy"

    def targets(self, batch: Batch) -> torch.Tensor:
        """The ids, one place to the left: position t answers for token t + 1."""
        labels = batch["labels"]
        return pad(labels[:, 1:], (0, 1), value=IGNORE)
