"""A folder that a command makes: complete or not at all, and never in place of what somebody else keeps there."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from shopguide.errors import ModelError


def check_free(output: Path, what: str, known: Mapping[Path, Sequence[str]]) -> None:
    """Tell before any work of a place where the folder cannot be made.

    Args:
        output: of the folder.
        what: is made, as a message calls it.
        known: folder that is written or replaced → files, any of which shows that it was made by the same command.

    Raises:
        ModelError: something else lies there, or nothing can be written there.
    """
    for place, names in known.items():
        if _holds_something(place) and not any((place / name).is_file() for name in names):
            raise ModelError(f"output={output}: expected no {place}, or {what}, found something else there")
    folder = next(place for place in output.absolute().parents if place.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        raise ModelError(f"output={output}: expected a place to write, found none in {folder}")


def _holds_something(place: Path) -> bool:
    return any(place.iterdir()) if place.is_dir() else place.exists()


def take_place(draft: Path, output: Path) -> None:
    """Move a complete folder to where it is to be, in place of one of the same kind."""
    shutil.rmtree(former(output), ignore_errors=True)
    if output.exists():
        os.replace(output, former(output))
    os.replace(draft, output)
    shutil.rmtree(former(output), ignore_errors=True)


def former(output: Path) -> Path:
    """Where the folder that is replaced lies meanwhile."""
    return output.with_name(f"{output.name}.before")
