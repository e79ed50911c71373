"""Seconds of `shopguide.compare` over a sweep of 200 jobs: a store is made, then the command is typed three times.

    python experiments/2026-11-28-compare-many/many.py --root EMPTY_FOLDER

Each job has 120 settings and 60 metrics, and two phases of 60 metrics and 50 settings, with curves of 20 points.
Prints a JSON line.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from shopguide.runs.costs import experiment_costs
from shopguide.runs.store import Store, open_store
from shopguide.runs.tree import Run, open_run

JOBS, SETTINGS, PHASES, METRICS, POINTS = 200, 120, ("pretrain", "finetune need"), 60, 20


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--root", type=Path, required=True, help="an empty folder")
    root = made.parse_args().root
    store, draw = open_store(None, "shopguide", root), random.Random(0)
    with open_run(store, "sweep over lr, epochs, seed", tags={"shopguide.kind": "sweep"}) as sweep:
        for number in range(JOBS):
            job(store, sweep, number, draw)
    seconds = [compared(root) for _ in range(3)]
    print(json.dumps({"runs": JOBS, "seconds": seconds, "median": statistics.median(seconds)}))


def job(store: Store, sweep: Run, number: int, draw: random.Random) -> None:
    own = {"lr": f"{1 + number // 20}e-4", "epochs": str(1 + number // 5 % 4), "seed": str(number % 5)}
    same = {f"setting.{place}": place for place in range(SETTINGS - len(own))}
    name = " ".join(f"{key}={value}" for key, value in own.items())
    with open_run(store, name, parent=sweep.id, tags={"shopguide.kind": "experiment"}) as run:
        run.log_params(own | same)
        for phase in PHASES:
            tags = {"shopguide.kind": "phase", "shopguide.phase": phase}
            with open_run(store, phase, parent=run.id, tags=tags) as part:
                part.log_params({f"setting.{place}": place for place in range(50)})
                part.log_metrics({f"test/metric_{place}": draw.random() for place in range(METRICS)})
                part.log_metrics({"cost/training_seconds": draw.random(), "cost/tokens_per_second": 1e4})
                for step in range(POINTS):
                    part.log_metrics({"dev/macro_f1": draw.random()}, step)
        run.log_metrics({"dev/score": draw.random(), "need/macro_f1": draw.random()})
        run.log_metrics({f"records/{place}": 1.0 for place in range(METRICS)})
        run.log_metrics(experiment_costs(store.find_phases(run.id)))


def compared(root: Path) -> float:
    begun = time.perf_counter()
    words = [sys.executable, "-m", "shopguide.compare", f"tracking.root={root}", "metric=need/macro_f1"]
    subprocess.run(words, check=True, capture_output=True)
    return round(time.perf_counter() - begun, 2)


if __name__ == "__main__":
    main()
