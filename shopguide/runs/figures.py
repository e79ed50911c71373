"""Figures a person looks at. Each function returns a matplotlib Figure; none touches global state."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

BLUE, ORANGE, GREY, GREEN = "#2463a8", "#d9731a", "#9a9a9a", "#3a8a4d"
MAX_CLASSES = 30
MAX_NUMBERED = 15
MAX_NAMED = 10
CJK_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC", "SimHei")


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@lru_cache
def _chinese_font() -> str | None:
    """A font with Chinese characters, if the machine has one."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return next((name for name in CJK_FONTS if name in installed), None)


def _write(text: str) -> dict[str, Any]:
    """Keyword arguments that show a text: in a Chinese font where needed, escaped where there is none."""
    if text.isascii():
        return {"text": text}
    font = _chinese_font()
    if font is None:
        return {"text": text.encode("ascii", "backslashreplace").decode()}
    return {"text": text, "fontfamily": ["DejaVu Sans", font]}


def _title(axes: Any, text: str) -> None:
    shown = _write(text)
    axes.set_title(shown.pop("text"), loc="left", fontweight="bold", fontsize=11, **shown)


def _ticks(axis: Any, places: Sequence[float], names: Sequence[str], **style: Any) -> None:
    shown = [_write(name if len(name) <= 32 else "…" + name[-31:]) for name in names]
    axis.set_ticks(list(places), [s["text"] for s in shown], **style)
    for label, s in zip(axis.get_ticklabels(), shown, strict=True):
        if "fontfamily" in s:
            label.set_fontfamily(s["fontfamily"])


def _plain(axes: Any) -> Any:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    return axes


def loss_curves(history: Mapping[str, list[tuple[int, float]]], title: str) -> Any:
    """Loss by optimizer step (thin: as logged, thick: smoothed); `train/lr`, if given, below on an axis of its own."""
    rate = history.get("train/lr")
    figure = _figure(8, 5.4 if rate else 4)
    grid = figure.add_gridspec(2 if rate else 1, 1, height_ratios=[3.2, 1] if rate else [1])
    axes = _plain(figure.add_subplot(grid[0]))
    for (name, points), colour in zip(
        ((n, p) for n, p in history.items() if n != "train/lr"), (BLUE, ORANGE, GREEN, GREY), strict=False
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
    _title(axes, title)
    if rate:
        lower = _plain(figure.add_subplot(grid[1], sharex=axes))
        lower.plot(*zip(*rate, strict=True), color=GREY)
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
    figure = _figure(size + 1.6, size + 0.6)
    axes = figure.add_subplot()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image, ax=axes, label="share of the true class", shrink=0.7)
    names = [labels[i] for i in chosen]
    _ticks(axes.xaxis, range(len(chosen)), names, rotation=90, fontsize=8)
    _ticks(axes.yaxis, range(len(chosen)), names, fontsize=8)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if len(chosen) <= MAX_NUMBERED:
        for (i, j), count in np.ndenumerate(part):
            if count:
                colour = "white" if shares[i, j] > 0.6 else "black"
                axes.text(j, i, f"{int(count)}", ha="center", va="center", fontsize=8, color=colour)
    _title(axes, title)
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
    figure = _figure(5.6, 6)
    grid = figure.add_gridspec(2, 1, height_ratios=[3.4, 1])
    axes = _plain(figure.add_subplot(grid[0]))
    centres, shown = (np.arange(bins) + 0.5) / bins, count > 0
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, label="perfectly calibrated")
    axes.bar(centres[shown], accuracy[shown], width=0.92 / bins, color=BLUE, alpha=0.85, label="accuracy")
    axes.plot(mean[shown], accuracy[shown], "o", color=ORANGE, markersize=4, label="mean confidence")
    axes.set(xlim=(0, 1), ylim=(0, 1), ylabel="accuracy")
    axes.legend(frameon=False, loc="upper left")
    _title(axes, f"{title}: calibration error {error:.4f}")
    lower = _plain(figure.add_subplot(grid[1], sharex=axes))
    lower.bar(centres, count, width=0.92 / bins, color=GREY)
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
    figure = _figure(8.4, 6)
    axes = _plain(figure.add_subplot())
    rest = ~np.isin(labels, chosen)
    if rest.any():
        axes.scatter(*points[rest].T, s=10, color="#cccccc", label="other")
    for name, colour in zip(chosen, colormaps["tab10"](range(10)), strict=False):
        own = np.asarray(labels) == name
        axes.scatter(*points[own].T, s=14, color=colour, alpha=0.8, linewidths=0, label=_write(str(name))["text"])
    legend = axes.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    for text in legend.get_texts():
        if not text.get_text().isascii():
            text.set_fontfamily(["DejaVu Sans", _chinese_font() or "DejaVu Sans"])
    axes.set_xlabel(f"first component ({explained[0]:.0%} of the variance)")
    axes.set_ylabel(f"second component ({explained[1]:.0%})" if len(explained) > 1 else "")
    _title(axes, title)
    return figure


def sweep_figure(rows: list[dict[str, Any]], metric: str) -> Any:
    """One bar a job, the best on top, named by what differs."""
    known = [row for row in rows if metric in row["metrics"]]
    figure = _figure(8, 1.4 + 0.42 * max(1, len(known)))
    axes = _plain(figure.add_subplot())
    values = [row["metrics"][metric] for row in known]
    places = np.arange(len(known))[::-1]
    axes.barh(places, values, color=[BLUE, *[GREY] * (len(known) - 1)][: len(known)], height=0.62)
    for place, value in zip(places, values, strict=True):
        axes.text(value, place, f" {value:.4f}", va="center", fontsize=9)
    _ticks(axes.yaxis, list(places), [", ".join(f"{k}={v}" for k, v in row["settings"].items()) for row in known])
    if values:
        spread = max(values) - min(values)
        axes.set_xlim(
            min(0, *values) if spread > 0.5 else min(values) - max(spread, 0.01), max(values) + max(spread, 0.01) * 0.3
        )
    _title(axes, f"jobs by {metric}")
    return figure


def folds_figure(settings: list[dict[str, Any]], metric: str, chosen: dict[str, Any]) -> Any:
    """Each setting's folds and their mean with its standard error, the best on top, the chosen one marked."""
    figure = _figure(8, 1.4 + 0.42 * max(1, len(settings)))
    axes = _plain(figure.add_subplot())
    places = np.arange(len(settings))[::-1]
    for place, row in zip(places, settings, strict=True):
        values = list(row["values"].values())
        colour = ORANGE if row is chosen else BLUE
        axes.plot(values, [place] * len(values), "o", color=GREY, markersize=4, alpha=0.7)
        error = 0.0 if len(values) < 2 else row["sd"] / np.sqrt(len(values))
        axes.errorbar(row["mean"], place, xerr=error, fmt="D", color=colour, capsize=4, markersize=7)
    names = [", ".join(f"{k}={v}" for k, v in row["settings"].items()) or "the only setting" for row in settings]
    _ticks(axes.yaxis, list(places), names)
    _title(axes, f"{metric}: folds, mean and standard error; chosen in orange")
    return figure


def grid_figure(settings: list[dict[str, Any]], metric: str, chosen: dict[str, Any]) -> Any:
    """The mean over the folds by two settings as a heat map, each with its standard error; the chosen one is framed.

    Args:
        settings: as `over_folds` makes them, of two settings that vary.
        metric: by which they were compared.
        chosen: one of them.
    """
    from matplotlib.patches import Rectangle

    columns, rows = (sorted({row["settings"][name] for row in settings}, key=_by_size) for name in chosen["settings"])
    means = np.full((len(rows), len(columns)), np.nan)
    figure = _figure(2.2 + 1.25 * len(columns), 1.6 + 0.75 * len(rows))
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
                Rectangle((column - 0.47, line - 0.47), 0.94, 0.94, fill=False, edgecolor=ORANGE, linewidth=3)
            )
    across, down = chosen["settings"]
    _ticks(axes.xaxis, range(len(columns)), columns)
    _ticks(axes.yaxis, range(len(rows)), rows)
    axes.set(xlabel=across, ylabel=down)
    axes.spines[:].set_visible(False)
    _title(axes, f"{metric}: mean ± standard error")
    return figure


def _by_size(value: str) -> tuple[bool, float, str]:
    """Numbers by their size, before words."""
    try:
        return False, float(value), value
    except ValueError:
        return True, 0.0, value


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
    figure = _figure(8, 1.6 + 0.3 * max(1, len(ranked)))
    axes = _plain(figure.add_subplot())
    places = np.arange(len(ranked))[::-1]
    values = np.array([value for _, value in ranked])
    ends = [intervals.get(f"{metric}/{name}", (value, value)) for name, value in ranked]
    if ranked:
        low, high = (np.nan_to_num(np.array(side), nan=0.0) for side in zip(*ends, strict=True))
        reach = np.maximum(0, np.stack([values - low, high - values]))
        axes.barh(places, values, color=BLUE, height=0.66)
        axes.errorbar(values, places, xerr=reach, fmt="none", ecolor=GREY, capsize=2, linewidth=1)
    _ticks(axes.yaxis, list(places), [name for name, _ in ranked], fontsize=8)
    axes.set(xlim=(0, 1), xlabel=metric)
    _title(axes, title)
    return figure
