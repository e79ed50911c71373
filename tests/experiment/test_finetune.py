"""What fine-tuning learns from."""

import numpy as np

from shopguide.experiment.finetune import drawn
from shopguide.tasks.task import Examples


def examples(count: int) -> Examples:
    ids = [str(i) for i in range(count)]
    return Examples(ids=ids, first=ids, labels={"t": list(ids)}, split=["train"] * count, groups=ids)


def test_a_draw_is_of_its_size_in_order_and_by_the_seed() -> None:
    kept = [drawn(examples(50), 20, seed).ids for seed in (0, 0, 1)]
    assert kept[0] == kept[1] != kept[2]
    assert [len(set(ids)) for ids in kept] == [20, 20, 20]
    assert np.all(np.diff([int(i) for i in kept[0]]) > 0)


def test_without_a_bound_and_below_it_all_are_kept() -> None:
    assert drawn(examples(5), None, 0).ids == drawn(examples(5), 5, 0).ids == examples(5).ids
