"""A trained network in torch: saved, loaded, and run over texts in batches of like length."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self, TypeVar

import numpy as np
import torch
from torch import nn

from shopguide.config import InferencePrecision
from shopguide.inference.answers import BATCH_TOKENS
from shopguide.inference.card import Card, read_card
from shopguide.inference.lanes import evened, side_by_side
from shopguide.inference.saved_model import save_model
from shopguide.models.backbone import CLASSES, Head, quietly
from shopguide.models.halved import halved
from shopguide.models.pooled import answer_layer, without_answer_layer
from shopguide.models.precision import good_at_bf16
from shopguide.models.threads import own_threads
from shopguide.models.unpadded import Batch, mean_states, sequence_logits
from shopguide.text.examples import Collate, EncodedTexts
from shopguide.text.plan import BatchPlan

Output = TypeVar("Output")

LEAST = 1024
"""Tokens of a batch that is worth a lane."""
MANY = 512
"""Tokens from which half precision pays: the copy is made first, and products are compiled for their shapes."""


class Encoded(Protocol):
    """Texts as token ids."""

    lengths: np.ndarray

    def __getitem__(self, index: tuple[int, int]) -> dict[str, np.ndarray]:
        """One example."""


class Network:
    """A network, its tokenizer and its card.

    Args:
        model: a transformers model with the head of the task's kind.
        tokenizer: its tokenizer.
        card: what it answers.
        device: where it runs.
        precision: `32`; or `auto`: bfloat16 where the device has it in hardware and there is much to do, and full
            precision again for the answers that it might change.
    """

    head: ClassVar[Head]

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        card: Card,
        device: torch.device | str = "cpu",
        precision: InferencePrecision = "auto",
    ) -> None:
        self.model = model.to(device).eval()
        self.tokenizer, self.card, self.device = tokenizer, card, torch.device(device)
        self._auto = precision == "auto"
        self._collate = Collate(tokenizer.pad_token_id)

    @classmethod
    def load(
        cls,
        folder: str | Path,
        device: str | None = None,
        precision: InferencePrecision = "auto",
        task: str | None = None,
    ) -> Self:
        """Load a folder that fine-tuning saved; `task`: which of several that it serves.

        Raises:
            ModelError: it is not such a folder, or serves no such task.
        """
        import transformers

        folder = Path(folder)
        card = read_card(folder, task)
        with quietly():
            model = getattr(transformers, CLASSES[cls.head]).from_pretrained(folder)
        chosen = device or ("cuda" if torch.cuda.is_available() else "cpu")
        found = cls(model, transformers.AutoTokenizer.from_pretrained(folder), card, chosen, precision)
        found.load_more(folder)
        return found

    def load_more(self, folder: Path) -> None:
        """Load what a kind of model has beside its network."""

    def serving(self, card: Card, folder: Path) -> Self:
        """Another task of the same folder, by the same network."""
        found = type(self)(self.model, self.tokenizer, card, self.device, "auto" if self._auto else 32)
        found.load_more(folder)
        return found

    def save(self, folder: str | Path) -> None:
        """Write a Hugging Face folder that `load` reads."""
        save_model(Path(folder), self.model, self.tokenizer, [self.card])

    def embed(
        self,
        first: Sequence[str],
        second: Sequence[str] | None = None,
        *,
        batch_tokens: int = BATCH_TOKENS,
        half: bool = False,
    ) -> np.ndarray:
        """(N, D) the backbone's states, averaged over the tokens of each text; `half`: as exact as a picture needs."""
        config: Any = self.model.config
        return self.states(mean_states, config.hidden_size, first, second, batch_tokens, half)

    def pooled(
        self, first: Sequence[str], second: Sequence[str] | None = None, *, batch_tokens: int = BATCH_TOKENS
    ) -> np.ndarray:
        """(N, D) what the last linear layer of a sequence classifier sees of each text, in full precision."""
        width = answer_layer(self.model).in_features
        with without_answer_layer(self.model):
            return self.states(sequence_logits, width, first, second, batch_tokens)

    def states(
        self,
        of: Callable[[nn.Module, Batch], torch.Tensor],
        width: int,
        first: Sequence[str],
        second: Sequence[str] | None,
        batch_tokens: int,
        half: bool = False,
    ) -> np.ndarray:
        """(N, D) what `of` gives of a batch.

        Args:
            of: the model and a batch of B → (B, D).
            width: D.
            first: N texts.
            second: of pairs, N texts.
            batch_tokens: that the model sees at once.
            half: in half precision, where that pays; else in full precision.
        """
        out = np.zeros((len(first), width), dtype=np.float32)
        if first:
            encoded = EncodedTexts(self.tokenizer, first, second, self.card.max_length)
            half = half and self.worth_half(encoded)
            for rows, states in self.outputs(of, encoded, np.arange(len(first)), batch_tokens, half):
                out[rows] = states.float().cpu().numpy()
        return out

    def worth_half(self, encoded: Encoded) -> bool:
        """Whether half precision may and does pay; the device, which may have to be timed, is asked last."""
        return self._auto and int(encoded.lengths.sum()) >= MANY and good_at_bf16(self.device.type)

    @contextlib.contextmanager
    def in_precision(self, half: bool) -> Iterator[nn.Module]:
        """The model to run: itself; in half precision its copy on a CPU, else itself under autocast, and weights are
        converted once for all batches.
        """
        if not half:
            yield self.model
        elif self.device.type == "cpu" and (copy := halved(self.model)) is not None:
            yield copy
        else:
            with torch.autocast(self.device.type, torch.bfloat16):
                yield self.model

    def outputs(
        self,
        of: Callable[[nn.Module, Batch], Output],
        encoded: Encoded,
        chosen: np.ndarray,
        batch_tokens: int,
        half: bool,
    ) -> Iterator[tuple[np.ndarray, Output]]:
        """What `of` gives of the chosen examples, one or more, in batches: places in `chosen`.

        On a CPU, several batches are worked on at once, each by some of torch's threads.

        Args:
            of: the network or its copy, and a batch on the device → what is wanted of it.
            encoded: the texts.
            chosen: numbers of examples.
            batch_tokens: that the network sees at once, at most, all batches taken together.
            half: in half precision.
        """
        lengths = encoded.lengths[chosen]
        with self.in_precision(half) as model:
            tokens = int(lengths.sum())
            lanes = self._lanes(min(tokens, batch_tokens))
            if lanes > 1:
                batch_tokens = min(batch_tokens // lanes, max(LEAST, tokens // (2 * lanes)))
            batches = BatchPlan(lengths, len(chosen), batch_tokens, shuffle=False).of_epoch(0)
            lanes = max(1, min(lanes, len(batches)))
            batches = evened(batches, lanes)

            @torch.inference_mode()
            def work(rows: np.ndarray) -> tuple[np.ndarray, Output]:
                batch = self._collate([encoded[(0, int(row))] for row in chosen[rows]])
                on_device = {k: v.to(self.device) if isinstance(v, torch.Tensor) else v for k, v in batch.items()}
                return rows, of(model, on_device)

            yield from side_by_side(work, batches, lanes, partial(own_threads, torch.get_num_threads() // lanes))

    def _lanes(self, tokens: int) -> int:
        """How many batches are worked on at once, of so many tokens together. Autocast is a thread's own: one."""
        if self.device.type != "cpu" or torch.is_autocast_enabled("cpu"):
            return 1
        return max(1, min(torch.get_num_threads(), tokens // LEAST))
