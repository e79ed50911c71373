"""One of the programs, and where its settings lie."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shopguide.grid import Grid


@dataclass(frozen=True)
class Command:
    """One of the programs: its root YAML, its check, and what it does with a checked configuration."""

    name: str
    check: Callable[[dict[str, Any]], Any]
    job: Callable[[Any], object]
    free_text: frozenset[str] = frozenset()
    """Keys whose values are taken as they are: no Hydra grammar in a shopper's words."""
    open_keys: frozenset[str] = frozenset()
    """Keys below which any key may be added."""
    expand: Callable[[list[str]], list[str]] = list
    """What the words that were typed stand for."""
    around_sweep: Callable[[Grid, Callable[[], None]], None] | None = None
    """Given the jobs, and what runs them."""
    searches: Callable[[Any], bool] = lambda _config: False
    """Whether these settings look for values, rather than go through all."""
    failures: list[str] = field(default_factory=list)


def conf_dir() -> Path:
    """`conf/` inside the installed package, or beside it in a checkout."""
    packaged = Path(__file__).parents[1] / "conf"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "conf"
