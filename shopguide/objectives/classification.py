"""Fine-tuning on one or several targets over one encoder: L(θ) = −Σⱼ log P(yⱼ | xⱼ; θ).

A label number below 0 is missing; one of C or more is a class that no training example has. Neither carries loss.
The targets share one linear head: each owns a run of its outputs, and the posterior over its classes is the softmax of
that run. So any transformers sequence classifier serves, and one target is exactly the usual cross-entropy.

Shapes: B batch, T targets, C classes of a target, K = ΣC outputs.
"""

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from shopguide.config import OptimizerConfig
from shopguide.metrics.classification import classification_metrics
from shopguide.models.posterior import posteriors
from shopguide.models.unpadded import Batch, sequence_logits
from shopguide.objectives.objective import Objective


class Classification(Objective):
    """Cross-entropy, as a mean over the targets; a missing label carries no loss.

    Args:
        model: transformers sequence classifier with ΣC outputs.
        optimizer: settings of AdamW.
        sizes: classes of each target.
        label_smoothing: share of the target distribution spread over all classes.
    """

    def __init__(
        self, model: nn.Module, optimizer: OptimizerConfig, sizes: Sequence[int], label_smoothing: float = 0.0
    ) -> None:
        super().__init__(model, optimizer)
        self.sizes = list(sizes)
        self.label_smoothing = label_smoothing
        self._seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    def loss(self, batch: Batch) -> torch.Tensor:
        """Mean over targets of the mean cross-entropy over the labelled rows."""
        return self._loss(sequence_logits(self.model, batch), batch["targets"])

    def _loss(self, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        losses = []
        for part, truth in zip(torch.split(logits.float(), self.sizes, dim=-1), targets.unbind(-1), strict=True):
            known = (truth >= 0) & (truth < part.shape[-1])
            if bool(known.any()):
                losses.append(cross_entropy(part[known], truth[known], label_smoothing=self.label_smoothing))
        return torch.stack(losses).mean() if losses else logits.sum() * 0.0

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Keep the outputs of a batch."""
        self._seen.append((sequence_logits(self.model, batch).float().cpu(), batch["targets"].cpu()))

    def on_validation_epoch_end(self) -> None:
        """Log `dev/loss` and the means over the targets of the classification metrics."""
        if not self._seen:
            return
        logits, targets = (torch.cat(column) for column in zip(*self._seen, strict=True))
        self._seen.clear()
        self.log("dev/loss", self._loss(logits, targets))
        scores = [
            classification_metrics(posterior, truth)
            for posterior, truth in zip(posteriors(logits, self.sizes), targets.unbind(-1), strict=True)
            if bool((truth >= 0).any())
        ]
        for name in scores[0]:
            self.log(f"dev/{name}", sum(s[name] for s in scores) / len(scores), prog_bar=name == "macro_f1")
