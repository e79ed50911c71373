"""A comparison as one HTML page that needs nothing beside itself: a table that sorts by its heads, and pictures."""

import base64
import html
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

from shopguide.runs.compare import Row

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1c1c1c; margin: 2rem auto; max-width: 1180px; padding: 0 1rem }
h1 { font-size: 1.5rem; margin-bottom: .2rem } h2 { font-size: 1.1rem; margin-top: 2.2rem } p { color: #555 }
.wide { overflow-x: auto } table { border-collapse: collapse; font-size: 14px }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #e3e3e3; text-align: right; white-space: nowrap }
th { cursor: pointer; border-bottom: 2px solid #999 } th:hover { color: #2463a8 } td.word, th.word { text-align: left }
tr.best td { font-weight: 600 } tr.baseline td { background: #fbf3ea } img { max-width: 100% }
"""
SORTING = """
for (const head of document.querySelectorAll('th')) head.onclick = () => {
  const body = head.closest('table').tBodies[0], place = head.cellIndex, up = head.dataset.up !== '1'
  head.dataset.up = up ? '1' : ''
  const key = row => { const own = row.cells[place].dataset.value ?? row.cells[place].textContent
    return own === '' || isNaN(own) ? own : Number(own) }
  const compared = (a, b) => typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === 'number' ? -1 : 1
  const order = (a, b) => (a === '') - (b === '') || compared(a, b) * (up ? 1 : -1)
  body.append(...[...body.rows].sort((a, b) => order(key(a), key(b))))
}
"""
LEAST = 0.001
"""Smaller values of p are not told apart."""
Column = tuple[str, Sequence[Any], Sequence[str]]
"""Title, values, and as they are shown."""


def columns(settings: Sequence[Row], metric: str) -> list[Column]:
    """The table of a comparison, column by column.

    Args:
        settings: as `against` makes them.
        metric: by which they were compared.
    """
    names = list(settings[0]["settings"])
    table: list[Column] = [(n, own := [row["settings"].get(n, "") for row in settings], own) for n in names]
    table.append(_numbers(metric, [row["mean"] for row in settings], "{:.4f}"))
    shown = [_interval(row) for row in settings]
    table.append(("95 % interval", [text.partition(" ")[0] for text in shown], shown))
    table.append(_numbers("gain", [row["gain"] for row in settings], "{:+.4f}"))
    table.append(("p", _known([row["p"] for row in settings]), [_p(row["p"]) for row in settings]))
    table.append(_numbers("runs", [len(row["values"]) for row in settings], "{}"))
    table.append(_numbers("training s", [row["seconds"] for row in settings], "{:,.1f}"))
    table.append(_numbers("tokens/s", [row["tokens_per_second"] for row in settings], "{:,.0f}"))
    table.append(_numbers("memory, GB", [row["peak_memory_gb"] for row in settings], "{:.2f}"))
    table.append(_numbers("parameters", [row["parameters"] for row in settings], "{:,.0f}"))
    first = [row["runs"][0]["id"][:8] for row in settings]
    table.append(("run", first, first))
    return [column for column in table if any(column[2])]


def _numbers(title: str, values: Sequence[float | None], form: str) -> Column:
    known = _known(values)
    return title, known, ["" if value == "" else form.format(value) for value in known]


def _known(values: Sequence[float | None]) -> list[float | str]:
    return ["" if value is None or math.isnan(value) else value for value in values]


def _p(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.3f}" if value >= LEAST else f"< {LEAST}"


def _interval(row: Row) -> str:
    """Of the mean over the runs; of one run, of its test examples."""
    low, high = row["mean"] - row["half"], row["mean"] + row["half"]
    if len(row["values"]) == 1:
        low, high = (row["runs"][0].get(end) for end in ("low", "high"))
    return "" if low is None or high is None else f"{low:.3f} – {high:.3f}"


def page(title: str, about: str, settings: Sequence[Row], metric: str, figures: Mapping[str, Any]) -> str:
    """The whole page.

    Args:
        title: of the comparison.
        about: a sentence below it.
        settings: as `against` makes them.
        metric: by which they were compared.
        figures: title → matplotlib figure.
    """
    table = columns(settings, metric)
    words = {"run", *settings[0]["settings"]}
    heads = "".join(f"<th{_class(name in words)}>{html.escape(name)}</th>" for name, _, _ in table)
    lines = []
    for number, row in enumerate(settings):
        kinds = [kind for kind, holds in (("best", not number), ("baseline", row["is_baseline"])) if holds]
        cells = "".join(
            f'<td{_class(name in words)} data-value="{html.escape(str(values[number]))}">'
            f"{html.escape(str(shown[number]))}</td>"
            for name, values, shown in table
        )
        lines.append(f'<tr class="{" ".join(kinds)}">{cells}</tr>')
    pictures = "".join(f"<h2>{html.escape(name)}</h2>{_picture(figure, name)}" for name, figure in figures.items())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<link rel="icon" href="data:,"><style>{STYLE}</style></head><body><h1>{html.escape(title)}</h1>'
        f'<p>{html.escape(about)}</p><div class="wide"><table><thead><tr>{heads}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table></div>{pictures}<script>{SORTING}</script></body></html>"
    )


def _class(is_word: bool) -> str:
    return ' class="word"' if is_word else ""


def _picture(figure: Any, name: str) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(name)}" src="data:image/svg+xml;base64,{data}">'
