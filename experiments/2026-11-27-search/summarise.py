"""Seconds of training after which a search has what the grid found, and the picture of both.

python experiments/2026-11-27-search/summarise.py RUNS [search.png]
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from shopguide.runs.store import open_store

SEEDS = (0, 1, 2)
METRIC = "dev/score"


def jobs(root: Path, experiment: str) -> tuple[np.ndarray, np.ndarray]:
    """Seconds of training when each job ended, in the order in which they were begun, and the best score until then."""
    store = open_store(None, experiment, root, create=False)
    (sweep,) = store.find_all("tags.`shopguide.kind` = 'sweep'")
    found = store.find_children(sweep.info.run_id)
    took = np.cumsum([(job.info.end_time - job.info.start_time) / 1000 for job in found])
    return took, np.maximum.accumulate([job.data.metrics.get(METRIC, -np.inf) for job in found])


def main() -> None:
    root = Path(sys.argv[1])
    figure, panels = plt.subplots(1, len(SEEDS), figsize=(12, 3.6), sharey=True, layout="constrained")
    for panel, seed in zip(panels, SEEDS, strict=True):
        whole, best = jobs(root, f"grid{seed}")
        took, reached = jobs(root, f"search{seed}")
        there = took[reached >= best[-1]]
        half = reached[took <= whole[-1] / 2]
        when = f"{there[0]:.0f} s" if len(there) else "never"
        print(f"seed {seed}: grid {best[-1]:.4f} after {whole[-1]:.0f} s; search there after {when}, at", end=" ")
        print(f"{half[-1]:.4f} after half the grid's time and {reached[-1]:.4f} after {took[-1]:.0f} s")
        end = max(whole[-1], took[-1])
        for times, scores, name in ((whole, best, "grid"), (took, reached, "search")):
            panel.step(np.append(times, end), np.append(scores, scores[-1]), where="post", label=name)
        panel.axvline(whole[-1] / 2, color="grey", linewidth=0.8, linestyle=":")
        panel.set(title=f"seed {seed}", xlabel="seconds of training")
    panels[0].set_ylabel("best macro F1 on dev so far")
    panels[-1].legend(loc="lower right", frameon=False)
    name = sys.argv[2] if len(sys.argv) > 2 else "search.png"
    figure.savefig(Path(__file__).with_name(name), dpi=110)


if __name__ == "__main__":
    main()
