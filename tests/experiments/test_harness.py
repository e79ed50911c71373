"""The arithmetic of the benchmarks."""

import json
import random
import re
from typing import Any

import pytest

from experiments.benchmarks import harness
from experiments.benchmarks.harness import Case, compare, parsed, parser


@pytest.mark.parametrize(
    ("noise", "rounds", "told"),
    [
        (1.1, 5, "control 1.10"),
        (1.3, 5, "NOT MEASURED: the control is off"),
        (1.1, 3, "NOT MEASURED: fewer than 5 rounds"),
    ],
)
def test_ratio_of_medians_with_its_control(
    noise: float, rounds: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    speeds = {"ours": iter([30.0, 40.0, 80.0, 40.0, 40.0]), "theirs": iter([10.0, 20.0, 10.0, 10.0, 10.0])}
    control = iter([10 * noise] * rounds)

    class Ordered(random.Random):
        def sample(self, population: Any, k: int, **_: Any) -> list[str]:
            assert sorted(population) == ["control", "ours", "theirs"]
            return ["ours", "theirs", "control"]

    calls = {"theirs": 0}

    def run_in_order(benchmark: str, case: Case, arm: str, threads: int | None, passed: list[str]) -> dict[str, float]:
        assert (benchmark, passed) == ("speed", ["--data", "D"])
        if arm == "theirs":
            calls["theirs"] += 1
            source = speeds["theirs"] if calls["theirs"] % 2 else control
            return {"value": next(source), "loss": 3.0}
        return {"value": next(speeds["ours"]), "loss": 2.0}

    monkeypatch.setattr(harness.random, "Random", Ordered)
    monkeypatch.setattr(harness, "_run", run_in_order)
    made = parser("")
    made.add_argument("--data")
    made.add_argument("--model")
    args = made.parse_args(["--rounds", str(rounds), "--data", "D"])
    compare("speed", [Case("one", "x/s", [], "peer", ("loss",))], args)
    *_, row, last = capsys.readouterr().out.splitlines()
    assert row.endswith(told)
    line = json.loads(last)
    (result,) = line["results"]
    assert line["benchmark"] == "speed"
    assert (result["ours"], result["theirs"], result["ratio_median"]) == (40, 10, 4)
    assert (result["ratio_min"], result["ratio_max"]) == (2, 8)
    assert result["control"] == noise
    assert result["measured"] is not told.startswith("NOT")
    assert line["arguments"] == {"data": "D"}
    assert re.fullmatch(r"([0-9a-f]{7,}\+?)?", line["commit"])
    assert result["loss"] == {"ours": 2.0, "theirs": 3.0}


@pytest.mark.parametrize(("words", "times"), [(["--arm", "ours"], 1), (["--arm", "theirs"], 0), ([], 0)])
def test_our_arms_alone_are_prepared_as_commands_are(
    words: list[str], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[int] = []
    monkeypatch.setattr(harness, "prepare_process", lambda: prepared.append(1))
    monkeypatch.setattr("sys.argv", ["benchmark", *words])
    parsed(parser(None))
    assert len(prepared) == times
