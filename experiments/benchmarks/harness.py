"""How two ways of doing the same are compared on a noisy machine.

Each arm of a case is a process of its own, which prints one JSON line last. A round runs every arm once, in random
order; the peer has a second arm, the control, which shows what noise alone does to a ratio. What counts is the ratio of
medians over the rounds. A ratio whose control is off 1 by more than 15 %, or of fewer than five rounds, is marked as
not measured.
"""

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shopguide.machine import prepare_process

CONTROL = 0.15
ROUNDS = 5
SHARED = {"rounds", "cases", "threads", "out", "arm", "case"}
"""Arguments of every benchmark."""


@dataclass
class Case:
    """One comparison: what is measured, in which unit, and the arguments that tell an arm its case."""

    name: str
    unit: str
    arguments: list[str]
    peer: str
    also: tuple[str, ...] = ()
    """Further numbers that arms report: their medians are printed beside."""
    precision: str = "32"
    """Ours and the peer's."""
    found: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def parser(description: str | None, rounds: int = ROUNDS) -> argparse.ArgumentParser:
    """The arguments that all benchmarks share."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--rounds", type=int, default=rounds)
    made.add_argument("--cases", nargs="+", default=None, help="some of the cases only")
    made.add_argument("--threads", type=int, default=None, help="of torch, in every arm; default: the machine's")
    made.add_argument("--out", type=Path, default=None, help="file that the JSON line is written to as well")
    made.add_argument("--arm", default=None, help=argparse.SUPPRESS)
    made.add_argument("--case", default=None, help=argparse.SUPPRESS)
    return made


def parsed(made: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments; an arm of ours settles with its process what shopguide's commands do, before torch is there."""
    args = made.parse_args()
    if args.arm == "ours":
        prepare_process()
    return args


def compare(benchmark: str, cases: Sequence[Case], args: argparse.Namespace) -> None:
    """Run the rounds of all cases, print the table and the JSON line.

    Args:
        benchmark: its name; an arm's process runs `python -m experiments.benchmarks.<name> --case … --arm …`.
        cases: those to run.
        args: parsed arguments of `parser`; those that a benchmark has added are handed on to the arms.
    """
    own = {name: value for name, value in vars(args).items() if name not in SHARED and value is not None}
    passed = [word for name, value in own.items() for word in (f"--{name}", str(value))]
    about = {"benchmark": benchmark, "hardware": hardware(args.threads), "commit": commit(), "arguments": own}
    results = []
    for case in cases:
        if args.cases and case.name not in args.cases:
            continue
        arms = {"ours": "ours", "theirs": "theirs", "control": "theirs"}
        for number in range(args.rounds):
            for name in random.Random(f"{case.name}{number}").sample(sorted(arms), len(arms)):
                line = _run(benchmark, case, arms[name], args.threads, passed)
                case.found.setdefault(name, []).append(line)
                print(f"{case.name}  round {number + 1}  {name}  {line['value']:,.4g} {case.unit}", flush=True)
        results.append(_result(case))
        print(_row(results[-1]), flush=True)
    line = json.dumps({**about, "results": results}, default=str)
    if args.out:
        args.out.write_text(line + "\n", encoding="utf-8")
    print("\n".join(_row(result) for result in results))
    print(line)


def _run(benchmark: str, case: Case, arm: str, threads: int | None, passed: list[str]) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        f"experiments.benchmarks.{benchmark}",
        *passed,
        "--case",
        case.name,
        "--arm",
        arm,
        *case.arguments,
    ]
    environment = {**os.environ, "TOKENIZERS_PARALLELISM": "true", "HF_HUB_OFFLINE": "1"}
    if threads:
        environment["OMP_NUM_THREADS"] = environment["MKL_NUM_THREADS"] = str(threads)
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _result(case: Case) -> dict[str, Any]:
    values = {arm: [line["value"] for line in lines] for arm, lines in case.found.items()}
    medians = {arm: statistics.median(found) for arm, found in values.items()}
    ratios = [ours / theirs for ours, theirs in zip(values["ours"], values["theirs"], strict=True)]
    control = medians["control"] / medians["theirs"]
    result = {
        "case": case.name,
        "peer": case.peer,
        "unit": case.unit,
        "precision": case.precision,
        "ours": round(medians["ours"], 2),
        "theirs": round(medians["theirs"], 2),
        "ratio_median": round(medians["ours"] / medians["theirs"], 3),
        "ratio_min": round(min(ratios), 3),
        "ratio_max": round(max(ratios), 3),
        "control": round(control, 3),
        "measured": abs(control - 1) <= CONTROL and len(ratios) >= ROUNDS,
        "rounds": len(ratios),
    }
    for key in case.also:
        result[key] = {
            arm: round(statistics.median(line[key] for line in case.found[arm]), 4) for arm in ("ours", "theirs")
        }
    return result


def _row(result: dict[str, Any]) -> str:
    reason = "the control is off" if abs(result["control"] - 1) > CONTROL else f"fewer than {ROUNDS} rounds"
    verdict = "" if result["measured"] else f"  NOT MEASURED: {reason}"
    return (
        f"{result['case']}: {result['ours']:,.4g} against {result['theirs']:,.4g} {result['unit']} ({result['peer']}): "
        f"{result['ratio_median']:.2f} × [{result['ratio_min']:.2f}-{result['ratio_max']:.2f}], "
        f"control {result['control']:.2f}{verdict}"
    )


def commit() -> str:
    """Of the code, with `+` where something in it was changed since; empty outside a repository."""
    command = ["git", "describe", "--always", "--exclude=*", "--dirty=+"]
    try:
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return found.stdout.strip()


def hardware(threads: int | None) -> str:
    """The processor or GPU, its instruction set, threads and torch's version."""
    import torch

    if torch.cuda.is_available():
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    model = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), model)
    level = torch.backends.cpu.get_cpu_capability()
    return f"{model}, {level}, {threads or torch.get_num_threads()} threads, torch {torch.__version__}"
