from pathlib import Path

import pytest

from shopguide.experiment.closing import _below_baseline, closing_table
from shopguide.runs.store import open_store
from shopguide.runs.tree import open_run

CLASSES = ("majority", "tfidf_lr", "ceiling", "network")


def told(
    folder: Path,
    beside: dict[str, tuple[str, ...]],
    capsys: pytest.CaptureFixture[str],
    reached: dict[str, float] | None = None,
) -> str:
    store = open_store(None, "tests", folder / "mlruns")
    kinds = {"need": ("classification", "macro_f1"), "search": ("retrieval", "ndcg_at_10")}
    with open_run(store, "whole", tags={"shopguide.kind": "experiment"}) as run:
        for task, names in beside.items():
            kind, metric = kinds[task]
            tags = {"shopguide.phase": f"finetune {task}", "task": task, "task_kind": kind}
            with open_run(store, task, parent=run.id, tags=tags) as child:
                others = ("accuracy", "weighted_f1", "ece", "mrr_at_10", "recall_at_10", "recall_at_100")
                child.log_metrics({f"{name}/{metric}": 0.24 if name == "majority" else 0.25 for name in names})
                child.log_metrics({f"test/{name}": (reached or {}).get(task, 0.5) for name in (metric, *others)})
    capsys.readouterr()
    closing_table(store, run.id)
    return capsys.readouterr().out


def test_few_baselines_stand_in_one_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = told(tmp_path, {"need": CLASSES[:2], "search": ("bm25", "fused")}, capsys)
    assert out.count("Results") == 1
    assert "test/ndcg_at_10" in out
    assert "with BM25" in out


def test_many_stand_with_those_that_have_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = told(tmp_path, {"need": CLASSES, "search": ("bm25", "fused")}, capsys)
    assert out.count("Results") == 2
    first, second = out.split("Results")[1:]
    assert "majority" in first
    assert "BM25" not in first
    assert "network alone" not in second
    assert all(len(line) <= 120 for line in out.splitlines())


def test_what_is_worse_than_a_simple_baseline_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = told(tmp_path, {"need": CLASSES, "search": ("bm25", "fused")}, capsys, {"need": 0.2, "search": 0.3})
    (line,) = [line for line in out.splitlines() if "does better" in line]
    assert line.startswith("need: TF-IDF + LR does better by macro_f1 (0.2000 against 0.2500): ")


def test_a_ranking_is_held_against_bm25_beyond_its_interval(tmp_path: Path) -> None:
    metrics = {"test/macro_f1": 0.6, "tfidf_lr/macro_f1": 0.5, "test/ndcg_at_10": 0.3, "bm25/ndcg_at_10": 0.4}
    store = open_store(None, "tests", tmp_path / "mlruns")
    lines = []
    for high in (0.35, 0.45):
        with open_run(store, "x", tags={"task": "relevance", "task_kind": "classification"}) as run:
            run.log_metrics(metrics | {"test/ndcg_at_10.high": high})
        lines.append(_below_baseline(store.client.get_run(run.id)))
    assert lines[0] is not None
    assert lines[0].startswith("relevance: BM25 does better by ndcg_at_10 (0.3000 against 0.4000): ")
    assert lines[1] is None
