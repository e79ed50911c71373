"""Search in two stages, and a bi-encoder that learns from the second one."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from shopguide import evaluate, predict
from shopguide.checks import parse_config
from shopguide.errors import ConfigError
from shopguide.experiment.run import run_experiment
from shopguide.inference.load import load_model
from shopguide.runs.store import Store, open_store
from tests.conftest import tiny_settings

SEARCH = {"target": "shopguide.tasks.search.Search"}
RELEVANCE = {"target": "shopguide.tasks.relevance.Relevance", "hard": 1}


class Ranked:
    def __init__(self, folder: Path) -> None:
        tasks = {"relevance": RELEVANCE, "search": SEARCH}
        # without a probe the tiny network's grades differ from product to product
        self.more = {"phases": ["finetune"], "finetune.baselines": False, "finetune.probe": False, "optimizer.lr": 1e-2}
        self.place = folder
        self.run_id = run_experiment(parse_config(tiny_settings(folder, **self.more, tasks=tasks))).run_id
        self.store: Store = open_store(None, "shopguide", folder / "mlruns")
        self.root = f"tracking.root={folder / 'mlruns'}"


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Ranked:
    return Ranked(tmp_path_factory.mktemp("ranked"))


def told(command: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    monkeypatch.setattr(sys, "argv", [command.__name__, *words])
    command.main()
    return json.loads(capsys.readouterr().out.splitlines()[-1])


ORDERED = ("ndcg_at_10", "mrr_at_10", "recall_at_10")


@pytest.mark.parametrize("by_folder", [False, True])
def test_predict_orders_anew(
    by_folder: bool, ranked: Ranked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = ranked.store.task_model(ranked.run_id, "relevance")
    asked = (f"run={ranked.run_id}", ranked.root, "task=search", "text=手机壳", "precision=32")
    rerank = f"rerank={folder if by_folder else 'relevance'}"
    items = told(predict, monkeypatch, capsys, *asked, rerank)["items"]
    scorer: Any = load_model(folder, 32)
    posterior = scorer.posterior(["手机壳"] * len(items), [item["text"] for item in items])["grade"]
    expected = posterior @ scorer.card.gains / max(scorer.card.gains)
    assert [item["score"] for item in items] == pytest.approx(expected.tolist(), abs=1e-4)
    assert [item["score"] for item in items] == sorted((item["score"] for item in items), reverse=True)


def test_evaluate_scores_both_stages(
    ranked: Ranked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = (f"run={ranked.run_id}", ranked.root, "task=search")
    plain = told(evaluate, monkeypatch, capsys, *asked)["search"]
    both = told(evaluate, monkeypatch, capsys, *asked, "rerank=relevance")["search"]
    assert both["recall_at_100"]["value"] == plain["recall_at_100"]["value"]  # the same products, in another order
    assert [both[name] for name in ORDERED] != [plain[name] for name in ORDERED]
    logged = ranked.store.find_children(ranked.run_id)[-1].data.metrics
    assert logged["evaluate/demo/test/reranked_by_relevance/mrr_at_10"] == pytest.approx(both["mrr_at_10"]["value"])


def test_without_a_task_what_finds_products_is_scored(
    ranked: Ranked, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "relevance").mkdir()  # a folder of the name of the task is not taken for it
    monkeypatch.chdir(tmp_path)
    both = told(evaluate, monkeypatch, capsys, f"run={ranked.run_id}", ranked.root, "rerank=relevance")
    assert list(both) == ["search"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("task=relevance", "text=a", "text_pair=b", "rerank=search"), "finds no products; leave index and rerank out"),
        (("task=search", "text=a", "rerank=search"), "expected a model that grades a query and a product"),
    ],
)
def test_a_second_stage_that_is_none(
    words: tuple[str, ...],
    message: str,
    ranked: Ranked,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        told(predict, monkeypatch, capsys, f"run={ranked.run_id}", ranked.root, *words)
    assert message in capsys.readouterr().err


def test_search_learns_from_a_teacher(ranked: Ranked) -> None:
    teacher = str(ranked.store.task_model(ranked.run_id, "relevance"))
    taught = {**ranked.more, "tasks": {"search": SEARCH}, "finetune.matching.hard": 2}
    found = [
        run_experiment(parse_config(tiny_settings(ranked.place, **taught, **{"finetune.matching.teacher": own})))
        for own in (None, teacher)
    ]
    assert found[0].metrics["search/ndcg_at_10"] != found[1].metrics["search/ndcg_at_10"]


@pytest.mark.parametrize(
    ("hard", "teacher", "message"), [(0, ".", "teacher goes with hard=1"), (1, "nowhere", "teacher=nowhere: expected")]
)
def test_a_teacher_that_cannot_teach(hard: int, teacher: str, message: str, tmp_path: Path) -> None:
    more = {"finetune.matching.hard": hard, "finetune.matching.teacher": teacher}
    with pytest.raises(ConfigError, match=message):
        parse_config(tiny_settings(tmp_path, **more))
