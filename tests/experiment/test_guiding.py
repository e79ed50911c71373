"""The guide of a finished experiment, on the shop that it was trained on."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from shopguide.checks import parse
from shopguide.config import DataConfig
from shopguide.errors import RunError
from shopguide.experiment.guiding import _learn_answers, _models, build_guide
from shopguide.guide.guide import EVIDENCE, Guide, Served
from shopguide.guide.searching import Query
from shopguide.guide.trust import NEVER
from shopguide.runs.store import Store, open_store
from shopguide.runs.tree import open_run
from tests.conftest import Finished
from tests.guide.shops import shop


@pytest.fixture(scope="module")
def built(finished: Finished) -> Served:
    return build_guide(finished.store, finished.run_id, None, "32")


def test_the_models_of_the_run_at_work(built: Served) -> None:
    guide = built.guide
    assert sorted(guide.models) == ["need", "relevance"]
    assert len(guide.shelf) == 150
    query = guide.shelf.titles[7]
    (read,) = guide.search([Query(query)], [5])
    (found,) = guide.search([Query(query, rerank=False)], [5])
    assert found.items[0].item_id == guide.shelf.ids[7]
    assert all(0 <= item.score <= 1 for item in read.items)
    assert sum(share.probability for share in read.need.category) <= 1
    assert (built.root / str(guide.shelf.product(0)["image"])).is_file()
    assert guide.answer("what colour is it", guide.shelf.ids[0]).answer


def test_queries_together_are_answered_as_alone(built: Served) -> None:
    queries = [Query(built.guide.shelf.titles[row][:12], rerank=row % 2 == 0) for row in range(6)]
    together = built.guide.search(queries, [3] * 6)
    for query, own in zip(queries, together, strict=True):
        (alone,) = built.guide.search([query], [3])
        assert [item.item_id for item in alone.items] == [item.item_id for item in own.items]
        assert [i.score for i in alone.items] == pytest.approx([i.score for i in own.items], abs=1e-5)


def test_a_run_without_such_tasks(tmp_path: Path) -> None:
    store = open_store(None, "other", tmp_path)  # not the finished one's, which others count
    with open_run(store, "other", tags={"shopguide.kind": "experiment"}) as run:
        phase = {"shopguide.kind": "phase", "shopguide.phase": "finetune values"}
        with open_run(store, "finetune values", parent=run.id, tags=phase):
            pass
    with pytest.raises(RunError, match=r"expected one of the tasks need, search, .* found values"):
        build_guide(store, run.id, None, "32")


def test_another_catalogue(finished: Finished, tmp_path: Path) -> None:
    (tmp_path / "products.jsonl").write_text(
        '{"item_id": "A1", "title": "red dress"}\n{"item_id": "A2", "title": "tea"}\n'
    )
    own = parse(
        DataConfig, {"name": "files", "reader": "files", "root": str(tmp_path), "cache_dir": str(tmp_path / "c")}
    )
    built = build_guide(finished.store, finished.run_id, replace(own), "32")
    (found,) = built.guide.search([Query("dress")], [3])
    assert [item.item_id for item in found.items] == ["A1"]
    assert built.guide.recommend() != []


def test_a_model_that_dev_says_too_little_of_is_not_believed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = shop(tmp_path)
    guide = Guide(records, {}, {})
    guide.models[EVIDENCE] = object()  # type: ignore[assignment]
    questions_of_all = np.array(["train" if one["item_id"] else "dev" for one in records.dialogues])
    material = SimpleNamespace(shop=records, parts=SimpleNamespace(dialogues=questions_of_all))
    _learn_answers(guide, material)  # type: ignore[arg-type]
    assert guide.answering.sure == NEVER
    assert "evidence: its model is not believed" in capsys.readouterr().err


def two(store: Store, names: tuple[tuple[str, ...], ...]) -> list[str]:
    """Runs with finished tasks of these names, whose models are nowhere."""
    found = []
    for tasks in names:
        with open_run(store, "x", tags={"shopguide.kind": "experiment"}) as run:
            for task in tasks:
                phase = {"shopguide.kind": "phase", "shopguide.phase": f"finetune {task}"}
                with open_run(store, f"finetune {task}", parent=run.id, tags=phase):
                    pass
        found.append(run.id)
    return found


def test_models_of_several_runs(tmp_path: Path) -> None:
    """Of each task the first run's; the first one's catalogue, which is that of the first task."""
    store = open_store(None, "several", tmp_path)
    one, other = two(store, (("need", "values"), ("search", "need")))
    found = _models(store, f"{one}, {other[:8]}")
    assert [(task, run) for task, (run, _) in found.items()] == [("need", one), ("search", other)]
    assert found["need"][1] == store.task_runs(one, "need")["need"]
    with pytest.raises(RunError, match="run=000000: expected the id of an experiment's run"):
        _models(store, f"{one},000000")


def test_search_is_not_weighed_by_what_its_model_has_learnt_from(
    finished: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = finished.store.settings(next(iter(finished.store.task_runs(finished.run_id, None).values())))
    other = settings["data"] | {"split": settings["data"]["split"] | {"seed": 9}}
    build_guide(finished.store, finished.run_id, parse(DataConfig, other), "32")
    assert "was trained on these records, split in another way" in capsys.readouterr().err
