"""Figures of a model that a person looks at. Each function returns a matplotlib Figure; none touches global state."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from shopguide.runs import drawing

MAX_CLASSES = 30
MAX_NUMBERED = 15
MAX_NAMED = 10


def loss_curves(history: Mapping[str, list[tuple[int, float]]], title: str) -> Any:
    """Loss by optimizer step (thin: as logged, thick: smoothed); `train/lr`, if given, below on an axis of its own."""
    rate = history.get("train/lr")
    figure = drawing.figure(8, 5.4 if rate else 4)
    grid = figure.add_gridspec(2 if rate else 1, 1, height_ratios=[3.2, 1] if rate else [1])
    axes = drawing.plain(figure.add_subplot(grid[0]))
    for (name, points), colour in zip(
        ((n, p) for n, p in history.items() if n != "train/lr"),
        (drawing.BLUE, drawing.ORANGE, drawing.GREEN, drawing.GREY),
        strict=False,
    ):
        steps, values = (np.array(column, dtype=float) for column in zip(*points, strict=True))
        few = len(values) <= 20
        axes.plot(
            steps,
            values,
            color=colour,
            alpha=1 if few else 0.3,
            linewidth=1.8 if few else 0.8,
            marker="o" if few else None,
            markersize=4,
            label=name if few else None,
        )
        if not few:
            axes.plot(steps, _smoothed(values), color=colour, linewidth=1.8, label=name)
    axes.set_ylabel("loss")
    axes.legend(frameon=False)
    drawing.title(axes, title)
    if rate:
        lower = drawing.plain(figure.add_subplot(grid[1], sharex=axes))
        lower.plot(*zip(*rate, strict=True), color=drawing.GREY)
        lower.set_ylabel("learning rate")
        lower.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
        axes = lower
    axes.set_xlabel("optimizer step")
    return figure


def _smoothed(values: np.ndarray, share: float = 0.08) -> np.ndarray:
    """Running mean over a share of the points, shorter at the ends."""
    half = max(1, int(len(values) * share / 2))
    total = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    low, high = np.maximum(at - half, 0), np.minimum(at + half + 1, len(values))
    smoothed: np.ndarray = (total[high] - total[low]) / (high - low)
    return smoothed


def confusion_matrix(truth: np.ndarray, predicted: np.ndarray, labels: Sequence[str], title: str) -> Any:
    """Rows: true class, as shares of the row; of more than 30 classes the 30 most frequent, and it says so.

    Args:
        truth: (N,) class numbers.
        predicted: (N,) class numbers.
        labels: names of the classes.
        title: above the picture.
    """
    counts = np.zeros((len(labels), len(labels)))
    np.add.at(counts, (truth, predicted), 1)
    seen = counts.sum(0) + counts.sum(1)
    chosen = np.sort(np.argsort(-seen, kind="stable")[: min(MAX_CLASSES, int((seen > 0).sum()))])
    if len(chosen) < len(labels):
        title += f" — {len(chosen)} most frequent of {len(labels)} classes"
    part = counts[np.ix_(chosen, chosen)]
    shares = part / np.maximum(counts[chosen].sum(1, keepdims=True), 1)
    size = 3.6 + 0.32 * len(chosen)
    figure = drawing.figure(size + 1.6, size + 0.6)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.7)
    names = [labels[i] for i in chosen]
    drawing.ticks(axes.xaxis, range(len(chosen)), names, rotation=90, fontsize=8)
    drawing.ticks(axes.yaxis, range(len(chosen)), names, fontsize=8)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if len(chosen) <= MAX_NUMBERED:
        for (i, j), count in np.ndenumerate(part):
            if count:
                colour = "white" if shares[i, j] > 0.6 else "black"
                axes.text(j, i, f"{int(count)}", ha="center", va="center", fontsize=8, color=colour)
    drawing.title(axes, title)
    return figure


def reliability_diagram(posterior: np.ndarray, truth: np.ndarray, title: str, bins: int = 15) -> Any:
    """Accuracy against confidence, and how often each confidence occurs; the title gives the calibration error.

    Args:
        posterior: (N, C) probabilities.
        truth: (N,) class numbers.
        title: above the picture.
        bins: of equal width over [0, 1].
    """
    confidence, right = posterior.max(1), posterior.argmax(1) == truth
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(place, minlength=bins)
    safe = np.maximum(count, 1)
    accuracy = np.bincount(place, right, minlength=bins) / safe
    mean = np.bincount(place, confidence, minlength=bins) / safe
    error = float((count / max(len(truth), 1) * np.abs(accuracy - mean)).sum())
    figure = drawing.figure(5.6, 6)
    grid = figure.add_gridspec(2, 1, height_ratios=[3.4, 1])
    axes = drawing.plain(figure.add_subplot(grid[0]))
    centres, shown = (np.arange(bins) + 0.5) / bins, count > 0
    axes.plot([0, 1], [0, 1], color=drawing.GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    axes.bar(centres[shown], accuracy[shown], width=0.92 / bins, color=drawing.BLUE, alpha=0.85, label="accuracy")
    axes.plot(mean[shown], accuracy[shown], "o", color=drawing.ORANGE, markersize=4, label="mean confidence")
    axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
    axes.legend(frameon=False, loc="upper left")
    drawing.title(axes, f"{title}: calibration error {error:.4f}")
    lower = drawing.plain(figure.add_subplot(grid[1], sharex=axes))
    lower.bar(centres, count, width=0.92 / bins, color=drawing.GREY)
    lower.set(xlabel="confidence of the answer", ylabel="examples")
    return figure


def embedding_map(vectors: np.ndarray, labels: Sequence[str], title: str) -> Any:
    """The first two principal components, coloured by the ten most frequent labels; the others are grey.

    Args:
        vectors: (N, D).
        labels: N names.
        title: above the picture.
    """
    from matplotlib import colormaps

    centred = vectors - vectors.mean(0)
    _, spread, axes_of = np.linalg.svd(centred, full_matrices=False)
    points = centred @ axes_of[:2].T
    explained = spread[:2] ** 2 / max(float((spread**2).sum()), 1e-12)
    names, counts = np.unique(np.asarray(labels), return_counts=True)
    chosen = names[np.argsort(-counts, kind="stable")][:MAX_NAMED]
    figure = drawing.figure(8.4, 6)
    axes = drawing.plain(figure.add_subplot())
    rest = ~np.isin(labels, chosen)
    if rest.any():
        axes.scatter(*points[rest].T, s=10, color="#cccccc", label="other")
    for name, colour in zip(chosen, colormaps["tab10"](range(10)), strict=False):
        own = np.asarray(labels) == name
        axes.scatter(
            *points[own].T, s=14, color=colour, alpha=0.8, linewidths=0, label=drawing.write(str(name))["text"]
        )
    drawing.legend(axes, loc="center left", bbox_to_anchor=(1, 0.5))
    axes.set_xlabel(f"first component ({explained[0]:.0%} of the variance)")
    axes.set_ylabel(f"second component ({explained[1]:.0%})" if len(explained) > 1 else "")
    drawing.title(axes, title)
    return figure


def score_bars(
    metrics: Mapping[str, float], intervals: Mapping[str, tuple[float, float]], metric: str, title: str
) -> Any:
    """One bar a label with its 95 % interval, the best on top; of many labels the best and worst, and it says so.

    Args:
        metrics: `<metric>/<label>` → value, others are passed over; NaN has no bar.
        intervals: of the same names, where they are known.
        metric: which.
        title: above the picture.
    """
    known = {k.removeprefix(f"{metric}/"): v for k, v in metrics.items() if k.startswith(f"{metric}/") and v == v}
    ranked = sorted(known.items(), key=lambda item: -item[1])
    if len(ranked) > MAX_CLASSES:
        title += f" — the best and worst {MAX_CLASSES // 2} of {len(ranked)} labels"
        ranked = ranked[: MAX_CLASSES // 2] + ranked[-(MAX_CLASSES // 2) :]
    figure = drawing.figure(8, 1.6 + 0.3 * max(1, len(ranked)))
    axes = drawing.plain(figure.add_subplot())
    places = np.arange(len(ranked))[::-1]
    values = np.array([value for _, value in ranked])
    ends = [intervals.get(f"{metric}/{name}", (value, value)) for name, value in ranked]
    if ranked:
        low, high = (np.nan_to_num(np.array(side), nan=0.0) for side in zip(*ends, strict=True))
        reach = np.maximum(0, np.stack([values - low, high - values]))
        axes.barh(places, values, color=drawing.BLUE, height=0.66)
        axes.errorbar(values, places, xerr=reach, fmt="none", ecolor=drawing.GREY, capsize=2, linewidth=1)
    drawing.ticks(axes.yaxis, list(places), [name for name, _ in ranked], fontsize=8)
    axes.set(xlim=(0, 1), xlabel=metric)
    drawing.title(axes, title)
    return figure
