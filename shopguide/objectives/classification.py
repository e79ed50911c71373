"""Fine-tuning on one or several targets over one encoder: L(θ) = −Σⱼ log P(yⱼ | xⱼ; θ), or another loss.

A label number below 0 is missing; one of C or more is a class that no training example has. Neither carries loss.
The targets share one linear head: each owns a run of its outputs, and the posterior over its classes is the softmax of
that run. So any transformers sequence classifier serves, and one target is exactly the usual cross-entropy.

R-Drop (Liang et al. 2021) runs each batch twice under other dropout: ½ (L₁ + L₂) + α · ½ (KL(P₁‖P₂) + KL(P₂‖P₁)).

Shapes: B batch, T targets, C classes of a target, K = ΣC outputs.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn
from torch.nn.functional import kl_div

from shopguide.config import OptimizerConfig
from shopguide.metrics.classification import classification_metrics
from shopguide.metrics.ranking import Ranked
from shopguide.models.posterior import posteriors
from shopguide.models.unpadded import Batch, sequence_logits
from shopguide.objectives.labelled import pinned
from shopguide.objectives.losses.cross_entropy import CrossEntropy
from shopguide.objectives.losses.loss import Labelled, Loss
from shopguide.objectives.objective import Objective


class Classification(Objective):
    """A classifier's loss, as a mean over the targets; a missing label carries none.

    Args:
        model: transformers sequence classifier with ΣC outputs.
        optimizer: settings of AdamW.
        counts: for each target, how many training examples its classes have.
        loss: of one target.
        gains: for each target, what its classes are worth, where they are grades.
        label_smoothing: share of the target distribution spread over all classes.
        r_drop: α; 0: each batch is run once.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: OptimizerConfig,
        counts: Sequence[Sequence[int]],
        loss: Loss | None = None,
        label_smoothing: float = 0.0,
        r_drop: float = 0.0,
        gains: Sequence[Sequence[float] | None] | None = None,
    ) -> None:
        super().__init__(model, optimizer)
        self.counts = [torch.tensor(numbers) for numbers in counts]
        self.gains = [None if own is None else torch.tensor(own) for own in gains or [None] * len(counts)]
        self.sizes = [len(numbers) for numbers in counts]
        self._of_target = loss or CrossEntropy()
        self.listed = self._of_target.listed
        self.label_smoothing, self.r_drop, self.passes = label_smoothing, r_drop, 2 if r_drop else 1
        self._seen: list[tuple[torch.Tensor, ...]] = []

    def on_before_batch_transfer(self, batch: Batch, _loader: int) -> Batch:
        """The rows that carry loss are found on the CPU: their number, asked for on a GPU, would be waited for."""
        return batch | {"known": [pinned(rows) for rows in self._known(batch["targets"])]}

    def _known(self, targets: torch.Tensor) -> list[torch.Tensor]:
        """For each target, the rows whose label is known."""
        columns = zip(targets.unbind(-1), self.sizes, strict=True)
        return [((truth >= 0) & (truth < size)).nonzero().squeeze(1) for truth, size in columns]

    def loss(self, batch: Batch) -> torch.Tensor:
        """Of a batch; with R-Drop of two runs of it."""
        logits, targets = self.outputs(batch)
        more = batch.get("list"), batch.get("known")
        if not self.r_drop:
            return self.loss_of(logits, targets, *more)
        other, _ = self.outputs(batch)
        supervised = (self.loss_of(logits, targets, *more) + self.loss_of(other, targets, *more)) / 2
        return supervised + self.r_drop * self._disagreement(logits, other)

    def outputs(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, K) outputs and (B, T) class numbers."""
        return sequence_logits(self.model, batch), batch["targets"]

    def loss_of(
        self,
        logits: torch.Tensor,
        targets: torch.Tensor,
        lists: torch.Tensor | None = None,
        known: list[torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Mean over targets of the mean loss over the labelled rows.

        Args:
            logits: (B, K).
            targets: (B, T) class numbers.
            lists: (B,) number of the list in which a row is ranked.
            known: for each target, the rows whose label is known; None: looked for.
        """
        losses = []
        parts = torch.split(logits.float(), self.sizes, dim=-1)
        columns = parts, targets.unbind(-1), self.counts, self.gains, known or self._known(targets)
        for part, truth, counts, gains, rows in zip(*columns, strict=True):
            if len(rows):
                of_rows = None if lists is None else lists[rows]
                worth = None if gains is None else gains.to(part)
                labelled = Labelled(truth[rows], counts, self.label_smoothing, worth, of_rows)
                losses.append(self._of_target(part[rows], labelled))
        return torch.stack(losses).mean() if losses else logits.sum() * 0.0

    def _disagreement(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """½ (KL(P₁‖P₂) + KL(P₂‖P₁)), a mean over rows and targets."""
        pairs = (torch.split(logits.float(), self.sizes, dim=-1) for logits in (one, other))
        found = []
        for first, second in zip(*pairs, strict=True):
            p, q = first.log_softmax(-1), second.log_softmax(-1)
            there, back = (kl_div(a, b, reduction="batchmean", log_target=True) for a, b in ((p, q), (q, p)))
            found.append((there + back) / 2)
        return torch.stack(found).mean()

    def validation_step(self, batch: Batch, _index: int) -> None:
        """Keep the outputs of a batch."""
        logits, targets = self.outputs(batch)
        lists = [batch["list"].cpu()] if "list" in batch else []
        self._seen.append((logits.float().cpu(), targets.cpu(), *lists))

    def on_validation_epoch_end(self) -> None:
        """Log `dev/loss` and the means over the targets of the classification metrics; of grades, `dev/ndcg_at_10`."""
        if not self._seen:
            return
        logits, targets, *lists = (torch.cat(column) for column in zip(*self._seen, strict=True))
        self._seen.clear()
        self.log("dev/loss", self.loss_of(logits, targets, lists[0] if lists else None))
        if lists and self.gains[0] is not None and len(self.sizes) == 1:
            self.log("dev/ndcg_at_10", _ndcg(logits.softmax(-1), targets[:, 0], self.gains[0], lists[0]))
        scores = [
            classification_metrics(posterior, truth)
            for posterior, truth in zip(posteriors(logits, self.sizes), targets.unbind(-1), strict=True)
            if bool((truth >= 0).any())
        ]
        for name in scores[0]:
            self.log(f"dev/{name}", sum(s[name] for s in scores) / len(scores), prog_bar=name == "macro_f1")


def _ndcg(posterior: torch.Tensor, truth: torch.Tensor, gains: torch.Tensor, lists: torch.Tensor) -> float:
    """nDCG@10 of the expected gain, a mean over the lists."""
    known = (truth >= 0) & (truth < len(gains))
    scores, gained = posterior[known] @ gains, gains[truth[known]]
    ranked = Ranked.of(lists[known].numpy(), np.arange(int(known.sum())), scores.numpy(), gained.numpy())
    return float(ranked.per_query("ndcg@10").mean()) if len(ranked.names) else 0.0
