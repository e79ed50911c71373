"""What fine-tuning learns from."""

import numpy as np
import pytest

from shopguide.config import FinetuneConfig
from shopguide.errors import ConfigError
from shopguide.experiment.finetune import drawn, monitored
from shopguide.tasks.need import Need
from shopguide.tasks.relevance import Relevance
from shopguide.tasks.spans import Spans
from shopguide.tasks.task import Examples


def examples(count: int) -> Examples:
    ids = [str(i) for i in range(count)]
    return Examples(first=ids, labels={"t": list(ids)}, split=["train"] * count, groups=ids)


def test_a_draw_is_of_its_size_in_order_and_by_the_seed() -> None:
    kept = [drawn(examples(50), 20, seed).first for seed in (0, 0, 1)]
    assert kept[0] == kept[1] != kept[2]
    assert [len(set(ids)) for ids in kept] == [20, 20, 20]
    assert np.all(np.diff([int(i) for i in kept[0]]) > 0)


def test_a_draw_is_of_whole_lists() -> None:
    every = examples(60)
    every.lists = [str(i // 4) for i in range(60)]
    kept = drawn(every, 22, 0)
    assert kept.lists is not None
    assert len(kept) == 20
    assert all(kept.lists.count(name) == 4 for name in kept.lists)
    assert kept.first == sorted(kept.first, key=int)


def test_where_no_list_fits_a_part_of_one_is_kept() -> None:
    every = examples(60)
    every.lists = [str(i // 20) for i in range(60)]
    kept = drawn(every, 7, 0)
    assert len(kept) == 7
    assert len(set(kept.lists or ())) == 1
    assert kept.first == sorted(kept.first, key=int)


def test_without_a_bound_and_below_it_all_are_kept() -> None:
    assert drawn(examples(5), None, 0).first == drawn(examples(5), 5, 0).first == examples(5).first


def test_the_epoch_is_chosen_by_what_the_task_is_measured_by() -> None:
    need, spans = Need(name="need"), Spans(name="spans")
    assert [monitored(FinetuneConfig(epochs=1), task, False) for task in (need, spans)] == ["dev/macro_f1", "dev/f1"]
    assert monitored(FinetuneConfig(epochs=1, monitor="dev/loss"), spans, False) == "dev/loss"
    assert monitored(FinetuneConfig(epochs=1, monitor=None), need, False) is None
    with pytest.raises(ConfigError, match=r"finetune.monitor=dev/ece: task `spans` is measured by dev/f1, "):
        monitored(FinetuneConfig(epochs=1, monitor="dev/ece"), spans, False)


def test_grades_that_rank_choose_the_epoch_by_their_ranking() -> None:
    relevance = Relevance(name="relevance")
    assert monitored(FinetuneConfig(epochs=1), relevance, True) == "dev/ndcg_at_10"
    assert monitored(FinetuneConfig(epochs=1, monitor="dev/macro_f1"), relevance, True) == "dev/macro_f1"
    with pytest.raises(ConfigError, match=r"dev/ndcg_at_10: task `relevance` is measured by dev/macro_f1"):
        monitored(FinetuneConfig(epochs=1, monitor="dev/ndcg_at_10"), relevance, False)
