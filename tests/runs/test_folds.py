from typing import Any

import pytest

from shopguide.config import FOLD
from shopguide.runs.comparing_figures import folds_figure, grid_figure
from shopguide.runs.folds import chosen, over_folds, render_folds


def jobs(**values: list[float]) -> list[dict[str, Any]]:
    """`lr=1,epochs=2` → a value a fold."""
    rows = []
    for name, each in values.items():
        lr, epochs = name.split("_")[1:]
        for fold, value in enumerate(each):
            settings = {"lr": lr, "epochs": epochs, FOLD: str(fold)}
            rows.append({"settings": settings, "metrics": {"dev/score": value}})
    return rows


SCORES = jobs(a_3_3=[0.80, 0.82, 0.84], b_1_2=[0.79, 0.81, 0.84], c_2_2=[0.80, 0.81, 0.83], d_1_1=[0.60, 0.70, 0.80])


def test_settings_by_their_mean() -> None:
    rows = over_folds(SCORES, "dev/score", 3)
    assert [(row["settings"]["lr"], row["settings"]["epochs"]) for row in rows] == [
        *(("3", "3"), ("1", "2"), ("2", "2"), ("1", "1")),
    ]
    assert rows[0]["mean"] == pytest.approx(0.82)
    assert rows[0]["sd"] == pytest.approx(0.02)
    assert rows[0]["half"] == pytest.approx(4.302653 * 0.02 / 3**0.5, rel=1e-6)
    assert rows[0]["values"] == {0: 0.80, 1: 0.82, 2: 0.84}


def test_the_simplest_within_a_standard_error_is_chosen() -> None:
    rows = over_folds(SCORES, "dev/score", 3)
    assert chosen(rows, "dev/score")["settings"] == {"lr": "1", "epochs": "2"}
    assert chosen(rows[:1], "dev/score") is rows[0]


def test_of_a_loss_the_lowest_is_the_best() -> None:
    rows = jobs(a_3_3=[0.80, 0.82, 0.84], d_1_1=[0.60, 0.70, 0.80])
    for row in rows:
        row["metrics"] = {"pretrain/dev/loss": row["metrics"]["dev/score"]}
    found = over_folds(rows, "pretrain/dev/loss", 3)
    assert [row["mean"] for row in found] == pytest.approx([0.70, 0.82])
    assert chosen(found, "pretrain/dev/loss") is found[0]


def test_a_setting_that_lacks_a_fold_is_not_chosen() -> None:
    rows = over_folds([*SCORES, *jobs(e_1_0=[0.99])], "dev/score", 3)
    assert [len(row["values"]) for row in rows] == [3, 3, 3, 3, 1]
    assert chosen(rows, "dev/score")["settings"] == {"lr": "1", "epochs": "2"}


def test_a_failed_job_has_no_value() -> None:
    rows = jobs(a_1_1=[0.5, float("nan")])
    (found,) = over_folds([*rows, {"settings": {"lr": "1", "epochs": "1", FOLD: "2"}, "metrics": {}}], "dev/score", 3)
    assert found["values"] == {0: 0.5}


def test_they_are_shown() -> None:
    rows = over_folds(SCORES, "dev/score", 3)
    picked = chosen(rows, "dev/score")
    table = render_folds(rows, "t", picked)
    assert list(table.columns[-1].cells) == ["", "chosen", "", ""]
    assert next(iter(table.columns[2].cells)) == "0.8200"
    axes = folds_figure(rows, "dev/score", picked).axes[0]
    assert axes.get_yticklabels()[0].get_text() == "lr=3, epochs=3"


def test_two_settings_are_a_map() -> None:
    rows = over_folds(SCORES, "dev/score", 3)
    axes = grid_figure(rows, "dev/score", chosen(rows, "dev/score")).axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == sorted({row["settings"]["lr"] for row in rows})
    assert sorted(text.get_text()[:6] for text in axes.texts) == sorted(f"{row['mean']:.4f}" for row in rows)
