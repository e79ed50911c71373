"""The floors of the house: a module imports only from its own room or from the floors below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "shopguide"
FLOORS = [
    {"train", "predict", "evaluate", "export", "index", "compare", "register", "reproduce", "serve"},
    {"command_line", "experiment"},
    {"guide"},
    {"inference", "tasks", "objectives", "text", "models", "runs", "records", "metrics"},
    {"checks"},
    {"config", "build", "machine", "grid"},
    {"axes", "deferred"},
    {"errors"},
]
BELOW = {
    "guide": {"inference", "tasks", "text", "records", "errors"},
    "inference": {"tasks", "objectives", "text", "models", "records", "metrics", "config", "machine", "errors"},
    "tasks": {"text", "records", "metrics", "config", "errors"},
    "objectives": {"text", "models", "metrics", "config", "errors"},
    "text": {"records", "config", "machine", "errors"},
    "models": {"config", "machine", "errors"},
    "runs": {"metrics", "config", "machine", "errors"},
    "records": {"errors"},
    "metrics": set(),
}
BARE = {"models", "text", "objectives", "metrics"}
"""They run on a machine with torch, transformers and lightning alone."""


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield str(node.module)


def allowed(own: str) -> set[str]:
    if own in BELOW:
        return BELOW[own] | {own}
    floor = next(i for i, rooms in enumerate(FLOORS) if own in rooms)
    return set().union(*FLOORS[floor + 1 :]) | {own} | ({"command_line"} if floor == 0 else set())


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downwards(path: Path) -> None:
    own = room(path)
    if own == "__init__":
        return
    rooms = {name.split(".")[1] for name in imported(path) if name.startswith("shopguide.")}
    assert rooms <= allowed(own)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_hydra_and_mlflow_stay_where_they_belong(path: Path) -> None:
    own, packages = room(path), {name.split(".")[0] for name in imported(path)}
    if own not in ("command_line", "train"):
        assert not packages & {"hydra", "omegaconf"}
    if own in BARE:
        assert not packages & {"mlflow", "hydra", "omegaconf"}
    if own == "records":
        assert not packages & {"torch", "transformers", "pytorch_lightning", "mlflow"}


def test_every_room_is_on_a_floor() -> None:
    rooms = {room(path) for path in modules()} - {"__init__"}
    assert rooms == set().union(*FLOORS)
