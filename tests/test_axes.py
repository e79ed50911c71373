from dataclasses import replace

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from shopguide.axes import Axis, axis_of, corners
from shopguide.errors import ConfigError


def parsed(word: str) -> Axis:
    return axis_of(OverridesParser.create().parse_override(word))


@pytest.mark.parametrize(
    ("word", "axis"),
    [
        ("epochs=1,2,4", Axis("epochs", ("1", "2", "4"))),
        ("epochs=range(1,4)", Axis("epochs", ("1", "2", "3"))),
        ("++trainer.x='a b',c", Axis("++trainer.x", ("'a b'", "c"))),
        ("lr=interval(1e-5,1e-3)", Axis("lr", low=1e-5, high=1e-3, log=True)),
        ("pretrain.lr=interval(1e-5,1e-3)", Axis("pretrain.lr", low=1e-5, high=1e-3, log=True)),
        ("finetune.ema=interval(0.9,0.999)", Axis("finetune.ema", low=0.9, high=0.999)),
        ("finetune.ema=tag(log, interval(0.9,0.999))", Axis("finetune.ema", low=0.9, high=0.999, log=True)),
        ("epochs=interval(1,8)", Axis("epochs", low=1, high=8)),
    ],
)
def test_words_of_a_sweep_are_axes(word: str, axis: Axis) -> None:
    assert parsed(word) == axis


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("epochs=interval(3,3)", "expected interval(<lower>,<higher>)"),
        ("lr=interval(0,1e-3)", "expected interval(<lower>,<higher>), the first above 0"),
    ],
)
def test_an_interval_has_a_length(word: str, fault: str) -> None:
    with pytest.raises(ConfigError) as told:
        parsed(word)
    assert str(told.value) == f"{word}: {fault}"


def test_values_as_they_are_typed() -> None:
    assert parsed("lr=interval(1e-5,1e-3)").typed(0.000123456) == "lr=0.0001235"
    assert replace(parsed("epochs=interval(1,8)"), whole=True).typed(3) == "epochs=3"
    assert replace(parsed("epochs=interval(1,8)"), whole=True).values == ("1", "8")
    assert parsed("+data.x=a,b").typed("b") == "+data.x=b"


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("+data.x=a,b", "data.x: a, b"),
        ("lr=interval(1e-5,1e-3)", "lr: 1e-05 to 0.001, by ratios"),
        ("x=int(interval(1,8))", "x: 1 to 8, whole numbers"),
    ],
)
def test_a_space_in_words(word: str, shown: str) -> None:
    assert str(parsed(word)) == shown


@given(st.lists(st.integers(1, 5), max_size=4))
def test_corners_try_each_choice_of_each_axis(sizes: list[int]) -> None:
    axes = [Axis(f"k{n}", tuple(map(str, range(size)))) for n, size in enumerate(sizes)]
    found = corners(axes)
    assert len(found) == max(sizes, default=0)
    for place, axis in enumerate(axes):
        assert {point[place] for point in found} == {f"{axis.key}={value}" for value in axis.choices}
