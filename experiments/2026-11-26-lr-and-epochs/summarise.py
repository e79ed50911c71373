"""Scores over learning rate and epochs, set by set, and what a default costs beside the best cell.

    python experiments/2026-11-26-lr-and-epochs/summarise.py RUNS_FOLDER EXPERIMENT LR EPOCHS [LR EPOCHS …]

RUNS_FOLDER is the `tracking.root` of the sweeps, EXPERIMENT their `tracking.experiment`; LR and EPOCHS are a default
that is judged: of several, the first that a set's grid has. Writes results.md and results.png beside itself; prints one
JSON line last.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from experiments.sweeps import interval, trained

HERE = Path(__file__).parent

SEEDS = 3

Cell = tuple[float, int]
"""Learning rate, epochs."""
Grid = dict[Cell, dict[int, float]]
"""Cell → seed → value."""


def main() -> None:
    root, experiment, typed = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    defaults = [(float(rate), int(epochs)) for rate, epochs in zip(typed[::2], typed[1::2], strict=True)]
    grids: dict[str, Grid] = defaultdict(lambda: defaultdict(dict))
    for one in trained(root, [experiment]):
        cell = float(one.settings["lr"]), int(one.settings["epochs"])
        grids[f"{one.data}: {one.task}, {one.metric}"][cell][one.seed] = one.value
    named = {name: grid for name, grid in sorted(grids.items()) if whole(grid)}
    default = {name: next(cell for cell in defaults if cell in grid) for name, grid in named.items()}
    (HERE / "results.md").write_text("\n".join(table(n, grid, default[n]) for n, grid in named.items()), "utf-8")
    draw(named, default)
    print(json.dumps({name: row(grid, default[name]) for name, grid in named.items()}))


def row(grid: Grid, default: Cell) -> dict[str, object]:
    """The best cell by its mean, and how much more than the default it reaches, paired by seed."""
    best = max(grid, key=lambda cell: float(np.mean(list(grid[cell].values()))))
    lost = [value - grid[default][seed] for seed, value in grid[best].items()]
    return {"best": best, "mean": interval(list(grid[best].values())), "lost_by_default": interval(lost)}


def table(name: str, grid: Grid, default: Cell) -> str:
    rates, lengths = axes_of(grid)
    found = row(grid, default)
    lines = [f"**{name}**", "", "| lr | " + " | ".join(f"{n} epochs" for n in lengths) + " |"]
    lines += ["|---" * (1 + len(lengths)) + "|"]
    for rate in rates:
        means = [interval(list(grid[rate, n].values())) for n in lengths]
        lines.append(f"| {rate:g} | " + " | ".join(f"{mean:.3f} ± {half:.3f}" for mean, half in means) + " |")
    (rate, n), (mean, half) = found["best"], found["lost_by_default"]  # type: ignore[misc]
    more = f"{mean:.3f} ± {half:.3f} above lr={default[0]:g}, {default[1]} epochs"
    return "\n".join([*lines, "", f"Best: lr={rate:g}, {n} epochs; {more}.", ""])


def whole(grid: Grid) -> bool:
    """Whether no cell or seed is missing: of a sweep that was cut off, the cells cannot be held beside each other."""
    rates, lengths = axes_of(grid)
    return len(grid) == len(rates) * len(lengths) and min(map(len, grid.values())) >= SEEDS


def axes_of(grid: Grid) -> tuple[list[float], list[int]]:
    return sorted({rate for rate, _ in grid}), sorted({n for _, n in grid})


def draw(grids: dict[str, Grid], defaults: dict[str, Cell]) -> None:
    across = min(3, len(grids))
    down = -(-len(grids) // across)
    figure = Figure(figsize=(4.2 * across, 3.6 * down), layout="constrained")
    FigureCanvasAgg(figure)
    for place, (name, grid) in enumerate(grids.items(), 1):
        rates, lengths = axes_of(grid)
        values = np.array([[np.mean(list(grid[rate, n].values())) for n in lengths] for rate in rates])
        axes, default = figure.add_subplot(down, across, place), defaults[name]
        axes.imshow(values, cmap="Blues", vmin=values.max() - 0.15, vmax=values.max() + 0.03, aspect="auto")
        for (y, x), value in np.ndenumerate(values):
            weight = "bold" if value == values.max() else "normal"
            colour = "white" if value > values.max() - 0.08 else "black"
            axes.text(x, y, f"{value:.3f}", ha="center", va="center", fontweight=weight, color=colour)
        axes.set_xticks(range(len(lengths)), [str(n) for n in lengths])
        axes.set_yticks(range(len(rates)), [f"{rate:g}" for rate in rates])
        axes.set(xlabel="epochs", ylabel="lr")
        axes.plot(lengths.index(default[1]) + 0.36, rates.index(default[0]) - 0.36, "o", color="#d9731a")
        axes.set_title(name, fontsize=10)
    figure.suptitle("Means over three seeds; bold: the best; dot: the default", fontsize=11)
    figure.savefig(HERE / "results.png", dpi=130)


if __name__ == "__main__":
    main()
