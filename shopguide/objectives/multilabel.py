"""Fine-tuning on several labels a text: L(θ) = −Σ over labels of log P(said or not | x; θ), each label on its own.

Shapes: B batch, C labels.
"""

import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from shopguide.config import THRESHOLD, OptimizerConfig
from shopguide.metrics.spans import FOUND, NAMES, RIGHT, TRUE, span_scores
from shopguide.models.unpadded import Batch, sequence_logits
from shopguide.objectives.objective import Objective


class MultiLabel(Objective):
    """Binary cross-entropy of each label; a label is given where its probability is at least one half.

    Args:
        model: transformers sequence classifier with an output a label.
        optimizer: settings of AdamW.
        label_smoothing: share of a label's truth that is spread over said and not said.
    """

    def __init__(self, model: nn.Module, optimizer: OptimizerConfig, label_smoothing: float = 0.0) -> None:
        super().__init__(model, optimizer)
        self.label_smoothing = label_smoothing

    def loss(self, batch: Batch) -> torch.Tensor:
        """Mean over rows and labels."""
        return self._loss(sequence_logits(self.model, batch), batch["targets"])

    def _loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        smooth = targets.float() * (1 - self.label_smoothing) + self.label_smoothing / 2
        return binary_cross_entropy_with_logits(logits.float(), smooth)

    def on_validation_epoch_start(self) -> None:
        """Outputs and labels that are seen."""
        self._seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Keep the outputs of a batch."""
        self._seen.append((sequence_logits(self.model, batch).float().cpu(), batch["targets"].cpu()))

    def on_validation_epoch_end(self) -> None:
        """Log `dev/loss`, and F1, precision and recall of the given labels; labels new in dev do not count here."""
        if not self._seen:
            return
        logits, targets = (torch.cat(column) for column in zip(*self._seen, strict=True))
        self.log("dev/loss", self._loss(logits, targets))
        found, true = (logits.sigmoid() >= THRESHOLD), targets > 0
        counts = torch.zeros(logits.shape[1], 3, dtype=torch.long)
        for kind, some in ((RIGHT, found & true), (FOUND, found), (TRUE, true)):
            counts[:, kind] = some.sum(0)
        for name, value in zip(NAMES, span_scores(counts.numpy()), strict=False):
            self.log(f"dev/{name}", float(value), prog_bar=name == "f1")
