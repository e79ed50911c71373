"""Losses of grades: against their formulas written out, and what they are lowest at."""

import itertools
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from shopguide.objectives.losses.gains import by_list, expected
from shopguide.objectives.losses.listwise import Listwise
from shopguide.objectives.losses.loss import Labelled, Loss
from shopguide.objectives.losses.ordinal import Ordinal
from shopguide.objectives.losses.pairwise import Pairwise
from shopguide.objectives.losses.regression import Regression

GAINS = torch.tensor([3.0, 1.0, 2.0])  # the order of the classes is not that of their worth
COUNTS = torch.tensor([1, 1, 1])
SCALED = [1.0, 0.0, 0.5]
LOSSES: list[Loss] = [Ordinal(), Regression(), Pairwise(), Listwise()]


def rows(count: int, lists: int, seed: int = 0) -> tuple[torch.Tensor, Labelled]:
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(count, 3, generator=draw) * 2
    truth, number = torch.randint(0, 3, (count,), generator=draw), torch.randint(0, lists, (count,), generator=draw)
    return logits, Labelled(truth, COUNTS, gains=GAINS, lists=number)


def test_ordinal_is_the_log_score_of_each_threshold() -> None:
    logits, labelled = rows(20, 1)
    total = 0.0
    for p, truth in zip(logits.double().softmax(-1).tolist(), labelled.truth.tolist(), strict=True):
        for limit in (1.5, 2.5):
            above = sum(share for share, gain in zip(p, GAINS.tolist(), strict=True) if gain > limit)
            total -= np.log(above if GAINS[truth] > limit else 1 - above) / 2
    assert float(Ordinal()(logits, labelled)) == pytest.approx(total / 20, rel=1e-5)


def test_a_far_grade_is_a_worse_mistake() -> None:
    sure = torch.eye(3) * 5  # of grades 3, 1, 2
    worst, near, right = (
        float(Ordinal()(sure[[said]], Labelled(torch.tensor([0]), COUNTS, gains=GAINS))) for said in (1, 2, 0)
    )
    assert worst > near > right


def test_of_two_grades_it_is_cross_entropy() -> None:
    logits, truth = torch.randn(9, 2), torch.tensor([0, 1, 1, 0, 1, 0, 0, 0, 1])
    found = Ordinal()(logits, Labelled(truth, COUNTS[:2], gains=torch.tensor([0.0, 1.0])))
    torch.testing.assert_close(found, cross_entropy(logits, truth))


def test_regression_is_the_squared_error_of_the_expected_gain() -> None:
    logits, labelled = rows(20, 1)
    said = logits.softmax(-1) @ torch.tensor(SCALED)
    error = ((said - torch.tensor(SCALED)[labelled.truth]) ** 2).mean()
    likelihood = cross_entropy(logits, labelled.truth)
    torch.testing.assert_close(Regression(posterior=0.3)(logits, labelled), error + 0.3 * likelihood)


@pytest.mark.parametrize("seed", range(3))
def test_pairwise_is_ranknet_over_the_pairs_of_each_list(seed: int) -> None:
    logits, labelled = rows(20, 5, seed)
    scores, gains = expected(logits.double(), Labelled(labelled.truth, COUNTS, gains=GAINS.double()))
    assert labelled.lists is not None
    losses = [
        np.log1p(np.exp(-float(scores[i] - scores[j]) / 0.2))
        for i, j in itertools.permutations(range(20), 2)
        if labelled.lists[i] == labelled.lists[j] and gains[i] > gains[j]
    ]
    plain = float(cross_entropy(logits, labelled.truth))
    assert float(Pairwise(posterior=0.5)(logits, labelled)) == pytest.approx(np.mean(losses) + 0.5 * plain, rel=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_listwise_is_listnet_over_each_list(seed: int) -> None:
    logits, labelled = rows(20, 5, seed)
    scores, gains = expected(logits, labelled)
    assert labelled.lists is not None
    losses = []
    for number in labelled.lists.unique():
        own = labelled.lists == number
        losses.append(cross_entropy(scores[own] / 0.2, (gains[own] / 0.2).softmax(0)))
    plain = cross_entropy(logits, labelled.truth)
    torch.testing.assert_close(Listwise()(logits, labelled), torch.stack(losses).mean() + plain)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_descent_puts_the_better_products_first(loss: Loss) -> None:
    logits, labelled = rows(12, 2)
    free = logits.clone().requires_grad_()
    optimizer = torch.optim.Adam([free], lr=0.1)
    for _ in range(150):
        optimizer.zero_grad()
        loss(free, labelled).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    scores, gains = expected(free.detach(), labelled)
    assert labelled.lists is not None
    for i, j in itertools.permutations(range(12), 2):
        if labelled.lists[i] == labelled.lists[j] and gains[i] > gains[j]:
            assert scores[i] > scores[j]


@pytest.mark.parametrize("loss", [Pairwise(), Listwise()], ids=lambda loss: type(loss).__name__)
def test_lists_of_one_and_lists_of_equals(loss: Any) -> None:
    logits, truth = torch.randn(4, 3), torch.tensor([0, 1, 1, 2])
    for lists in (torch.arange(4), torch.tensor([0, 1, 1, 2])):
        free = logits.clone().requires_grad_()
        loss(free, Labelled(truth, COUNTS, gains=GAINS, lists=lists)).backward()
        assert bool(free.grad.isfinite().all())


def test_rows_by_list() -> None:
    found, there = by_list(torch.tensor([7, 3, 7, 7, 5]))
    assert [[int(r) for r in own[ok]] for own, ok in zip(found, there, strict=True)] == [[1], [4], [0, 2, 3]]
