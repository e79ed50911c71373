import math
from typing import Any

import pytest
from scipy.stats import ttest_rel

from shopguide.config import FOLD
from shopguide.runs.replicates import against, fold_overlap, replicated


def run(value: float, **settings: str) -> dict[str, Any]:
    return {"id": "", "settings": settings, "metrics": {"score": value}, "seconds": 10.0, "tokens_per_second": None}


ONE, OTHER = [0.80, 0.82, 0.90, 0.71], [0.78, 0.81, 0.85, 0.72]
SEEDS = [run(v, lr=lr, seed=str(s)) for lr, values in (("1", OTHER), ("2", ONE)) for s, v in enumerate(values)]


def test_runs_of_a_setting_are_gathered() -> None:
    low, high = replicated(SEEDS, "score")
    assert low["settings"] == {"lr": "1"}
    assert high["values"] == {(str(seed),): value for seed, value in enumerate(ONE)}
    assert high["mean"] == pytest.approx(sum(ONE) / 4)
    assert len(high["runs"]) == 4


def test_p_is_that_of_the_paired_t_test() -> None:
    settings = replicated(SEEDS, "score")
    best, other = against(settings, settings[1], "score")
    assert (best["is_baseline"], other["is_baseline"]) == (True, False)
    assert math.isnan(best["p"])
    assert other["p"] == pytest.approx(ttest_rel(OTHER, ONE).pvalue)
    assert other["gain"] == pytest.approx(sum(OTHER) / 4 - sum(ONE) / 4)


def test_seeds_that_one_of_them_lacks_are_not_compared() -> None:
    settings = replicated([*SEEDS, run(0.1, lr="2", seed="9")], "score")
    other = against(settings, settings[1], "score")[0]
    assert other["p"] == pytest.approx(ttest_rel(OTHER, ONE).pvalue)


def test_a_setting_that_was_run_twice_keeps_both_values_and_pairs_neither() -> None:
    twice = [{**run(v, lr="1", seed="0"), "id": name} for v, name in ((0.8, "a"), (0.7, "b"))]
    settings = replicated([*twice, run(0.5, lr="2", seed="0")], "score")
    assert settings[0]["values"] == {("0", "a"): 0.8, ("0", "b"): 0.7}
    assert math.isnan(against(settings, settings[1], "score")[0]["gain"])


def test_several_tests_are_corrected() -> None:
    third = [run(v - 0.05 - 0.01 * s, lr="3", seed=str(s)) for s, v in enumerate(ONE)]
    settings = replicated([*SEEDS, *third], "score")
    raw = [ttest_rel(OTHER, ONE).pvalue, ttest_rel([r["metrics"]["score"] for r in third], ONE).pvalue]
    found = {row["settings"]["lr"]: row["p"] for row in against(settings, settings[1], "score")}
    assert min(raw) == raw[1]
    assert (found["3"], found["1"]) == pytest.approx((2 * raw[1], max(2 * raw[1], raw[0])))


def test_folds_that_learn_from_each_other() -> None:
    assert fold_overlap(5, forward=False) == 0.25
    assert fold_overlap(5, forward=True) == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4 + 1 / 5) / 5)


def test_folds_are_not_taken_for_independent() -> None:
    folds = [{**row, "settings": {"lr": row["settings"]["lr"], FOLD: row["settings"]["seed"]}} for row in SEEDS]
    settings = replicated(folds, "score")
    found = next(row for row in against(settings, settings[1], "score", 1 / 3) if not row["is_baseline"])
    differences = [a - b for a, b in zip(OTHER, ONE, strict=True)]
    mean = sum(differences) / 4
    variance = sum((d - mean) ** 2 for d in differences) / 3
    from scipy.stats import t

    assert found["p"] == pytest.approx(2 * t.sf(abs(mean) / math.sqrt((1 / 4 + 1 / 3) * variance), 3))
    assert found["p"] > ttest_rel(OTHER, ONE).pvalue


def test_a_lower_loss_is_a_gain() -> None:
    rows = [{**row, "metrics": {"dev/loss": row["metrics"]["score"]}} for row in SEEDS]
    settings = replicated(rows, "dev/loss")
    first, second = against(settings, settings[1], "dev/loss")
    assert first["settings"] == {"lr": "1"}
    assert first["gain"] == pytest.approx(sum(ONE) / 4 - sum(OTHER) / 4)
    assert math.isnan(second["gain"])


def test_runs_without_the_metric_are_passed_over_and_one_run_is_no_test() -> None:
    settings = replicated([run(0.5, lr="1"), run(0.6, lr="2"), run(float("nan"), lr="3")], "score")
    assert [row["settings"]["lr"] for row in settings] == ["1", "2"]
    assert all(math.isnan(row["p"]) and math.isnan(row["half"]) for row in against(settings, settings[0], "score"))


def test_costs_are_means_of_those_that_know_them() -> None:
    rows = [{**row, "tokens_per_second": speed} for row, speed in zip(SEEDS, [1, 3, None, None] * 2, strict=True)]
    settings = replicated(rows, "score")
    found = against(settings, settings[0], "score")[0]
    assert (found["seconds"], found["tokens_per_second"], found["parameters"]) == (10.0, 2.0, None)
