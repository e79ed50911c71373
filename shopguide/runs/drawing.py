"""What all figures share: their canvas, colours, and text in Chinese."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

BLUE, ORANGE, GREY, GREEN = "#2463a8", "#d9731a", "#9a9a9a", "#3a8a4d"
CJK_FONTS = ("Noto Sans CJK SC", "Noto Sans CJK JP", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC", "SimHei")


def figure(width: float, height: float) -> Any:
    """An empty figure, in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


@lru_cache
def chinese_font() -> str | None:
    """A font with Chinese characters, if the machine has one."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return next((name for name in CJK_FONTS if name in installed), None)


def write(text: str) -> dict[str, Any]:
    """Keyword arguments that show a text as it is: in a Chinese font where needed, escaped where there is none."""
    text = text.replace("$", r"\$")
    if text.isascii():
        return {"text": text}
    font = chinese_font()
    if font is None:
        return {"text": text.encode("ascii", "backslashreplace").decode()}
    return {"text": text, "fontfamily": ["DejaVu Sans", font]}


def title(axes: Any, text: str) -> None:
    """Above the axes, to the left."""
    shown = write(text)
    axes.set_title(shown.pop("text"), loc="left", fontweight="bold", fontsize=11, **shown)


def ticks(axis: Any, places: Sequence[float], names: Sequence[str], **style: Any) -> None:
    """Names at the places of an axis; of a long one, the end."""
    shown = [write(name if len(name) <= 32 else "…" + name[-31:]) for name in names]
    axis.set_ticks(list(places), [s["text"] for s in shown], **style)
    for label, s in zip(axis.get_ticklabels(), shown, strict=True):
        if "fontfamily" in s:
            label.set_fontfamily(s["fontfamily"])


def legend(axes: Any, **style: Any) -> None:
    """Of the lines with a label, which `write` has made."""
    made = axes.legend(frameon=False, fontsize=8, **style)
    for text in made.get_texts():
        if not text.get_text().isascii():
            text.set_fontfamily(["DejaVu Sans", chinese_font() or "DejaVu Sans"])


def labels(axes: Any, across: str, up: str) -> None:
    """What the axes are of."""
    for name, text in (("x", across), ("y", up)):
        shown = write(text)
        getattr(axes, f"set_{name}label")(shown.pop("text"), **shown)


def plain(axes: Any) -> Any:
    """The axes with a light grid, open above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.set_axisbelow(True)
    return axes
