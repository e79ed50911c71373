"""Which positions a masked LM must restore (BERT's 15 %, 80/10/10), as a pure function of (seed, epoch, example).

Drawn from a counter-based generator keyed by those three numbers, a mask does not depend on the number of workers, on
the order of batches, or on a restart.

Source: Devlin et al. 2019, §3.1; whole words: the authors' note of 2019 to BERT's code; Chinese: Cui et al. 2019;
spans: Joshi et al. 2020 (SpanBERT), §3.1.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

NO_WORD = -1
"""Word number of special tokens: they are never masked."""
IGNORE = -100
LONGEST_SPAN = 10
SPAN_LENGTHS = 0.8 ** np.arange(LONGEST_SPAN) / sum(0.8 ** np.arange(LONGEST_SPAN))
"""Chance of a span of 1, 2, … words: geometric with p = 0.2, cut off; 3.8 words in the mean."""


@dataclass(frozen=True)
class Masker:
    """Draws masks for one tokenizer.

    Attributes:
        strategy: `token` draws single positions, `whole_word` draws words and masks all their pieces, `span` draws
            runs of words.
        probability: share of the maskable positions that are chosen, rounded, at least one.
        mask_share: share of the chosen positions that show the mask token.
        random_share: share that shows a random token; the rest keep their own.
    """

    mask_id: int
    vocab_size: int
    special_ids: frozenset[int]
    seed: int
    strategy: str = "whole_word"
    probability: float = 0.15
    mask_share: float = 0.8
    random_share: float = 0.1

    def __call__(
        self, input_ids: np.ndarray, word_ids: np.ndarray, epoch: int, example: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Mask one example.

        Args:
            input_ids: (L,) token ids.
            word_ids: (L,) number of the word that each token belongs to; -1 for special tokens.
            epoch: number of the pass over the data.
            example: number of the example in the corpus.

        Returns:
            (L,) ids as the model sees them, and (L,) labels: the true id where chosen, -100 elsewhere.
        """
        draw = np.random.Generator(np.random.Philox(key=[(self.seed << 32) | epoch, example]))
        chosen = self._choose(word_ids, draw)
        labels = np.full_like(input_ids, IGNORE)
        labels[chosen] = input_ids[chosen]
        seen = input_ids.copy()
        fate = draw.random(len(chosen))
        seen[chosen[fate < self.mask_share]] = self.mask_id
        replaced = chosen[(fate >= self.mask_share) & (fate < self.mask_share + self.random_share)]
        ordinary = ordinary_ids(self.vocab_size, self.special_ids)
        seen[replaced] = ordinary[draw.integers(0, len(ordinary), len(replaced))]
        return seen, labels

    def _choose(self, word_ids: np.ndarray, draw: np.random.Generator) -> np.ndarray:
        """Positions to restore: `probability` of the maskable ones (to the nearest whole number, at least one)."""
        maskable = np.flatnonzero(word_ids != NO_WORD)
        budget = max(1, round(self.probability * len(maskable))) if len(maskable) else 0
        if self.strategy == "token":
            return np.sort(draw.permutation(maskable)[:budget])
        pieces = np.bincount(word_ids[maskable])
        words = np.flatnonzero(pieces)
        size = pieces[words]
        order = _in_spans(len(words), draw) if self.strategy == "span" else draw.permutation(len(words))
        taken = np.cumsum(size[order])
        # The first word that overruns the budget is kept by chance, so that the expected share is the budget.
        last = np.searchsorted(taken, budget)
        over = taken[last] - budget if last < len(order) else 0
        keep = last + 1 if over == 0 or last == 0 or draw.random() < 1 - over / size[order[last]] else last
        is_taken = np.zeros(len(pieces), dtype=bool)
        is_taken[words[order[:keep]]] = True
        chosen: np.ndarray = maskable[is_taken[word_ids[maskable]]]
        return chosen


def _in_spans(count: int, draw: np.random.Generator) -> np.ndarray:
    """(count,) the words' numbers in the order in which random spans reach them."""
    lengths = 1 + np.searchsorted(np.cumsum(SPAN_LENGTHS)[:-1], draw.random(count), side="right")
    members = draw.permutation(count)[:, None] + np.arange(LONGEST_SPAN)
    reached = members[(np.arange(LONGEST_SPAN) < lengths[:, None]) & (members < count)]
    _, first = np.unique(reached, return_index=True)
    order: np.ndarray = reached[np.sort(first)]
    return order


@lru_cache
def ordinary_ids(vocab_size: int, special: frozenset[int]) -> np.ndarray:
    """The ids that may stand in for a token: all but the special ones."""
    return np.setdiff1d(np.arange(vocab_size), np.fromiter(special, dtype=int))
