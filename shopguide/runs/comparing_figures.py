"""Figures of runs beside each other. Each function returns a matplotlib Figure; none touches global state."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shopguide.runs import drawing

MOST_NAMED = 6


def sweep_figure(rows: list[dict[str, Any]], metric: str) -> Any:
    """One bar a job that has the metric, the best on top, named by what differs; one whose loss diverged has none."""
    known = [row for row in rows if np.isfinite(row["metrics"].get(metric, np.nan))]
    figure = drawing.figure(8, 1.4 + 0.42 * max(1, len(known)))
    axes = drawing.plain(figure.add_subplot())
    values = [row["metrics"][metric] for row in known]
    places = np.arange(len(known))[::-1]
    axes.barh(places, values, color=[drawing.BLUE, *[drawing.GREY] * (len(known) - 1)][: len(known)], height=0.62)
    for place, value in zip(places, values, strict=True):
        axes.text(value, place, f" {value:.4f}", va="center", fontsize=9)
    drawing.ticks(
        axes.yaxis, list(places), [", ".join(f"{k}={v}" for k, v in row["settings"].items()) for row in known]
    )
    if values:
        spread = max(values) - min(values)
        axes.set_xlim(
            min(0, *values) if spread > 0.5 else min(values) - max(spread, 0.01), max(values) + max(spread, 0.01) * 0.3
        )
    drawing.title(axes, f"jobs by {metric}")
    return figure


def folds_figure(settings: list[dict[str, Any]], metric: str, chosen: dict[str, Any]) -> Any:
    """Each setting's folds and their mean with its standard error, the best on top, the chosen one marked."""
    figure = drawing.figure(8, 1.4 + 0.42 * max(1, len(settings)))
    axes = drawing.plain(figure.add_subplot())
    places = np.arange(len(settings))[::-1]
    for place, row in zip(places, settings, strict=True):
        values = list(row["values"].values())
        colour = drawing.ORANGE if row is chosen else drawing.BLUE
        axes.plot(values, [place] * len(values), "o", color=drawing.GREY, markersize=4, alpha=0.7)
        error = 0.0 if len(values) < 2 else row["sd"] / np.sqrt(len(values))
        axes.errorbar(row["mean"], place, xerr=error, fmt="D", color=colour, capsize=4, markersize=7)
    names = [", ".join(f"{k}={v}" for k, v in row["settings"].items()) or "the only setting" for row in settings]
    drawing.ticks(axes.yaxis, list(places), names)
    drawing.title(axes, f"{metric}: folds, mean and standard error; chosen in orange")
    return figure


def grid_figure(settings: Sequence[dict[str, Any]], metric: str, chosen: dict[str, Any], title: str = "") -> Any:
    """The mean over the folds by two settings as a heat map, each with its standard error; the chosen one is framed.

    Args:
        settings: as `over_folds` makes them, of two settings that vary.
        metric: by which they were compared.
        chosen: one of them.
        title: above the picture.
    """
    from matplotlib.patches import Rectangle

    columns, rows = (sorted({row["settings"][name] for row in settings}, key=_by_size) for name in chosen["settings"])
    means = np.full((len(rows), len(columns)), np.nan)
    figure = drawing.figure(2.2 + 1.25 * len(columns), 1.6 + 0.75 * len(rows))
    axes = figure.add_subplot()
    for row in settings:
        across, down = row["settings"].values()
        means[rows.index(down), columns.index(across)] = row["mean"]
    image = axes.imshow(means, cmap="Blues", aspect="auto", origin="lower")
    for row in settings:
        column, line = (names.index(v) for names, v in zip((columns, rows), row["settings"].values(), strict=True))
        count = len(row["values"])
        error = f"\n± {row['sd'] / np.sqrt(count):.4f}" if count > 1 else ""
        dark = image.norm(row["mean"]) > 0.6
        axes.text(
            column, line, f"{row['mean']:.4f}{error}", ha="center", va="center", color="white" if dark else "black"
        )
        if row is chosen:
            axes.add_patch(
                Rectangle((column - 0.47, line - 0.47), 0.94, 0.94, fill=False, edgecolor=drawing.ORANGE, linewidth=3)
            )
    across, down = chosen["settings"]
    drawing.ticks(axes.xaxis, range(len(columns)), columns)
    drawing.ticks(axes.yaxis, range(len(rows)), rows)
    axes.set(xlabel=across, ylabel=down)
    axes.spines[:].set_visible(False)
    drawing.title(axes, title or f"{metric}: mean ± standard error")
    return figure


def _by_size(value: str) -> tuple[bool, float, str]:
    """Numbers by their size, before words."""
    try:
        return False, float(value), value
    except ValueError:
        return True, 0.0, value


def curves_figure(curves: Mapping[str, Mapping[str, Sequence[tuple[int, float]]]], metric: Mapping[str, str]) -> Any:
    """One picture a phase, one line a run: the first one in orange, the others paler the further down they stand.

    Args:
        curves: phase → name of the run → (step, value), the best run first.
        metric: phase → what is drawn of it.
    """
    columns = min(2, len(curves))
    rows = -(-len(curves) // max(columns, 1))
    figure = drawing.figure(5.2 * columns + 1.5, 3.4 * rows)
    for place, (phase, lines) in enumerate(curves.items(), 1):
        axes = drawing.plain(figure.add_subplot(rows, columns, place))
        for number, (name, points) in reversed([*enumerate(lines.items())]):
            style = {"color": drawing.BLUE, "alpha": max(0.2, 0.8 - 0.6 * number / max(len(lines) - 1, 1))}
            if not number:
                style = {"color": drawing.ORANGE, "alpha": 1.0, "label": drawing.write(name)["text"]}
            axes.plot(*zip(*points, strict=True), marker="o", markersize=3, linewidth=1.6, **style)
        drawing.labels(axes, "optimizer step", metric[phase])
        drawing.legend(axes)
        drawing.title(axes, phase)
    return figure


def parallel_figure(settings: Sequence[dict[str, Any]], metric: str) -> Any:
    """Parallel coordinates: an axis a setting and one for the metric, a line a setting; the first one in orange.

    Numbers stand in the order of their size, at equal distances.

    Args:
        settings: as `against` makes them, the best first.
        metric: by which they were compared.
    """
    names = list(settings[0]["settings"])
    figure = drawing.figure(1.9 * (len(names) + 1) + 1.5, 4.6)
    axes = figure.add_subplot()
    means = np.array([row["mean"] for row in settings])
    low, high = float(means.min()), float(means.max())
    heights = [(means - low) / ((high - low) or 1)]
    for name in names[::-1]:
        values = sorted({row["settings"][name] for row in settings}, key=_by_size)
        heights.insert(0, np.array([values.index(row["settings"][name]) for row in settings]) / max(len(values) - 1, 1))
        for number, value in enumerate(values):
            text = drawing.write(value if len(value) <= 20 else "…" + value[-19:])
            axes.text(
                names.index(name) - 0.04,
                number / max(len(values) - 1, 1),
                text.pop("text"),
                ha="right",
                va="center",
                fontsize=8,
                zorder=5,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1},
                **text,
            )
    across = np.arange(len(names) + 1)
    for row in reversed(range(len(settings))):
        shade = 0.15 + 0.75 * float(heights[-1][row])
        best = {"color": drawing.ORANGE, "linewidth": 2.6} if not row else {"color": drawing.BLUE, "alpha": shade}
        axes.plot(across, [column[row] for column in heights], **best)
    for place in across:
        axes.axvline(place, color=drawing.GREY, linewidth=0.8, zorder=0)
    for height in (0.0, 0.5, 1.0):
        axes.text(len(names) + 0.04, height, f"{low + height * (high - low):.4f}", va="center", fontsize=8)
    axes.set(xlim=(-0.6, len(names) + 0.5), ylim=(-0.06, 1.06), yticks=[])
    drawing.ticks(axes.xaxis, list(across), [*names, metric])
    axes.spines[:].set_visible(False)
    drawing.title(axes, f"settings and {metric}; the best in orange")
    return figure


def frontier(settings: Sequence[dict[str, Any]], lowest: bool) -> list[dict[str, Any]]:
    """The settings than which none is both better and cheaper in seconds, the cheapest first.

    Args:
        settings: with `mean` and `seconds`.
        lowest: whether the lowest mean is the best.
    """
    best, found = np.inf, []
    for row in sorted(settings, key=lambda row: (row["seconds"], row["mean"] if lowest else -row["mean"])):
        value = row["mean"] if lowest else -row["mean"]
        if value < best:
            best = value
            found.append(row)
    return found


def frontier_figure(settings: Sequence[dict[str, Any]], metric: str, lowest: bool) -> Any:
    """Quality against seconds; those than which none is both better and cheaper are joined and named."""
    figure = drawing.figure(8, 4.6)
    axes = drawing.plain(figure.add_subplot())
    front = frontier(settings, lowest)
    axes.scatter([row["seconds"] for row in settings], [row["mean"] for row in settings], color=drawing.GREY, s=22)
    axes.step(
        [row["seconds"] for row in front], [row["mean"] for row in front], where="post", color=drawing.ORANGE, zorder=3
    )
    axes.scatter([row["seconds"] for row in front], [row["mean"] for row in front], color=drawing.ORANGE, zorder=4)
    for row in front[-MOST_NAMED:]:
        text = drawing.write(", ".join(f"{k}={v}" for k, v in row["settings"].items())[:40])
        at = (row["seconds"], row["mean"])
        axes.annotate(
            text.pop("text"), at, xytext=(6, -10 if not lowest else 8), textcoords="offset points", fontsize=8, **text
        )
    drawing.labels(axes, "seconds of training", metric)
    axes.margins(x=0.15, y=0.12)
    drawing.title(axes, f"{metric} against time: none is both better and faster than the orange ones")
    return figure
