"""The arithmetic of the benchmarks."""

import json
import random
from typing import Any

import pytest

from experiments.benchmarks import harness
from experiments.benchmarks.harness import Case, compare, parser


@pytest.mark.parametrize(("noise", "measured"), [(1.1, True), (1.3, False)])
def test_ratio_of_medians_with_its_control(
    noise: float, measured: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    speeds = {"ours": iter([30.0, 40.0, 80.0]), "theirs": iter([10.0, 20.0, 10.0])}
    control = iter([10 * noise] * 3)

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
    compare("speed", [Case("one", "x/s", [], "peer", ("loss",))], made.parse_args(["--rounds", "3", "--data", "D"]))
    line = json.loads(capsys.readouterr().out.splitlines()[-1])
    (result,) = line["results"]
    assert line["benchmark"] == "speed"
    assert (result["ours"], result["theirs"], result["ratio_median"]) == (40, 10, 4)
    assert (result["ratio_min"], result["ratio_max"]) == (2, 8)
    assert result["control"] == noise
    assert result["measured"] is measured
    assert result["loss"] == {"ours": 2.0, "theirs": 3.0}
