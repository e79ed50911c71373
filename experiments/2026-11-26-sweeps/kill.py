"""A sweep that is stopped again and again, beside one that is left alone: do both end alike?

    python THIS --root FOLDER [--kills 20] [--longest 40] [--seed 0]

Both are 3 × 2 jobs of the demo shop, typed as users type them. The second is stopped by SIGKILL, SIGINT or SIGTERM, as
is drawn (`--signals`), after a random time of at most `--longest` seconds, `--kills` times, and then typed once more.
Compared are the runs, what they are called, their settings, the points of their curves (all digits; not those that a
clock or the memory tells) and the job that is chosen. Prints one JSON line last; what differs is listed before.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlflow.entities import Run

from shopguide.runs.store import Store, open_store

GRID = ["-m", "+experiment=mlm_then_ft", "lr=3e-4,1e-3,3e-3", "epochs=8,16", "tasks=[need]", "pretrain.epochs=3"]
SMALL = ["data.options.products=400", "data.options.behaviours=1200", "tracking.log_every=1"]
BY_THE_CLOCK = ("seconds", "tokens_per_second", "waiting_share", "mfu", "memory_gb")


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--root", type=Path, required=True, help="an empty folder")
    made.add_argument("--kills", type=int, default=20)
    made.add_argument("--longest", type=float, default=40.0)
    made.add_argument("--seed", type=int, default=0)
    made.add_argument("--signals", nargs="+", default=["SIGKILL", "SIGINT", "SIGTERM"], help="among which is drawn")
    args = made.parse_args()
    alone, often = (args.root / name for name in ("alone", "killed"))
    begun = time.perf_counter()
    sweep(args.root, alone).wait()
    seconds = time.perf_counter() - begun
    draw = random.Random(args.seed)
    stops: Counter[str] = Counter()
    while stops.total() < args.kills:
        process = sweep(args.root, often)
        try:
            process.wait(timeout=draw.uniform(1, args.longest))
        except subprocess.TimeoutExpired:
            number = signal.Signals[draw.choice(args.signals)]
            os.killpg(process.pid, number)
            process.wait()
            stops[number.name] += 1
        else:
            stops[f"ended with {process.returncode}"] += 1
            if not process.returncode:
                break
    code = sweep(args.root, often).wait()
    found, other = (tree(open_store(None, "shopguide", root, create=False)) for root in (alone, often))
    differing = sorted(differences(found, other))
    print("\n".join(differing))
    counted = {"runs": [len(found), len(other)], "points": [points(found), points(other)]}
    print(json.dumps({"stops": stops, "rc": code, "seconds": round(seconds), **counted, "differing": len(differing)}))


def sweep(cache: Path, root: Path) -> "subprocess.Popen[bytes]":
    words = [sys.executable, "-m", "shopguide.train", *GRID, *SMALL]
    words += [f"tracking.root={root}", f"data.cache_dir={cache / 'cache'}"]
    with (cache / f"{root.name}.log").open("a") as log:
        return subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True, preexec_fn=heed_interrupts)


def heed_interrupts() -> None:
    """Also where this was started in the background, whose children ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def tree(store: Store) -> dict[str, dict[str, Any]]:
    """Path of names → what a run holds; a name that stands twice in a place has a number."""
    runs = {run.info.run_id: run for run in store.client.search_runs([store.experiment_id], max_results=1000)}
    found: dict[str, dict[str, Any]] = {}
    for run in sorted(runs.values(), key=lambda run: run.info.start_time):
        name = path = "/".join(names(run, runs))
        number = 1
        while path in found:
            number += 1
            path = f"{name} ({number})"
        found[path] = held(store, run, runs)
    return found


def names(run: Run, runs: dict[str, Run]) -> Iterator[str]:
    parent = run.data.tags.get("mlflow.parentRunId")
    if parent is not None:
        yield from names(runs[parent], runs) if parent in runs else ["an unknown run"]
    yield run.info.run_name


def held(store: Store, run: Run, runs: dict[str, Run]) -> dict[str, Any]:
    best = run.data.tags.get("best_run")
    kept = [name for name in run.data.metrics if not name.endswith(BY_THE_CLOCK)]
    curves = {name: curve(store, run, name) for name in kept}
    settings = {name: value for name, value in run.data.params.items() if name != "tracking.root"}
    chosen = runs[best].info.run_name if best else None
    return {"status": run.info.status, "settings": settings, "curves": curves, "chosen": chosen}


def curve(store: Store, run: Run, name: str) -> list[tuple[int, float]]:
    found = store.client.get_metric_history(run.info.run_id, name)
    return sorted((point.step, point.value) for point in found)


def differences(found: dict[str, dict[str, Any]], other: dict[str, dict[str, Any]]) -> Iterator[str]:
    for path in found.keys() ^ other.keys():
        yield f"{path}: only in {'the first' if path in found else 'the second'}"
    for path in found.keys() & other.keys():
        for what, value in found[path].items():
            if value != other[path][what]:
                yield f"{path}: {what}: {told(value, other[path][what])}"


def told(value: Any, other: Any) -> str:
    if not isinstance(value, dict):
        return f"{value} : {other}"
    differing = [name for name in value.keys() | other.keys() if value.get(name) != other.get(name)]
    return "; ".join(f"{name}: {value.get(name)} : {other.get(name)}"[:200] for name in sorted(differing)[:5])


def points(found: dict[str, dict[str, Any]]) -> int:
    return sum(len(curve) for run in found.values() for curve in run["curves"].values())


if __name__ == "__main__":
    main()
