import copy
from pathlib import Path
from typing import Any

import pytest

from shopguide.build import build_task
from shopguide.checks import parse_config, path_faults
from shopguide.errors import ConfigError, nearest
from shopguide.tasks.need import Need
from tests.conftest import tiny_settings


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    return tiny_settings(tmp_path)


def test_a_plain_dictionary_becomes_typed(settings: dict[str, Any]) -> None:
    before = copy.deepcopy(settings)
    config = parse_config(settings)
    assert settings == before
    assert config.optimizer.lr == config.lr == 1e-3
    assert config.data.split.fractions == (0.8, 0.1, 0.1)
    assert next(type(build_task(name, options)) for name, options in config.tasks.items()) is Need


def test_every_fault_in_one_error(settings: dict[str, Any]) -> None:
    settings["seed"] = -1
    settings["tasks"]["need"]["depth"] = "deep"
    settings["trainer"]["max_epoch"] = 3
    settings["optimizer"]["schedule"] = "step"
    with pytest.raises(ConfigError) as told:
        parse_config(settings)
    lines = str(told.value).splitlines()
    assert lines[0] == "4 settings are not valid:"
    for key in ("seed=-1", "tasks.need.depth=deep", "trainer.max_epoch", "optimizer.schedule=step"):
        assert sum(line.strip().startswith(key) for line in lines) == 1


def test_a_task_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_task.py").write_text(
        "from shopguide.tasks.need import Need\n\nclass Own(Need):\n    pass\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert type(build_task("own", {"target": "own_task.Own", "depth": 1})).__name__ == "Own"
    with pytest.raises(ConfigError, match=r"tasks.own.target=own_task.Other: cannot be imported"):
        build_task("own", {"target": "own_task.Other"})


@pytest.mark.parametrize(
    ("uri", "mended"),
    [("runs", "sqlite:///runs/mlflow.db"), ("file:///tmp/runs", "sqlite:////tmp/runs/mlflow.db")],
)
def test_a_folder_is_no_store(uri: str, mended: str, settings: dict[str, Any]) -> None:
    settings["tracking"]["uri"] = uri
    with pytest.raises(ConfigError, match=rf"tracking: uri={uri}: expected a database or server .* write {mended}$"):
        parse_config(settings)
    for valid in ("databricks", "http://host:5000", "sqlite:///a.db", None):
        settings["tracking"]["uri"] = valid
        assert parse_config(settings).tracking.uri == valid


def test_an_argument_that_the_experiment_sets_itself(settings: dict[str, Any]) -> None:
    for key in ("max_epoch", "max_epochs"):
        with pytest.raises(ConfigError, match=rf"trainer.{key}: .*set by the experiment itself \(use epochs"):
            parse_config(settings | {"trainer": {key: 3}})


def test_phases_and_tasks_must_name_something(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"phases must name at least one of: pretrain, finetune"):
        parse_config(settings | {"phases": []})
    with pytest.raises(ConfigError, match=r"tasks must name at least one task"):
        parse_config(settings | {"tasks": {}})


def test_what_exists_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_text("")
    values = {"data": {"root": str(tmp_path)}, "model": {"path": str(tmp_path)}}
    assert list(path_faults(values)) == []
    assert list(path_faults({"model": {"path": "bert-base-chinese"}})) == []


def test_the_nearest_valid_name_is_offered() -> None:
    assert nearest("macro", ["macro_f1", "accuracy"]) == "; did you mean `macro_f1`? (valid: accuracy, macro_f1)"
    assert nearest("x", ["macro_f1"]) == " (valid: macro_f1)"


def test_precision_arrives_as_the_number_that_is_typed() -> None:
    from shopguide.checks import parse
    from shopguide.predict import PredictConfig

    assert parse(PredictConfig, {"text": "a", "precision": 32}).precision == 32
