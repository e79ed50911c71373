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
    folder = next((place for place in output.absolute().parents if place.exists()), output)
    if not folder.is_dir() or not os.access(folder, os.W_OK) or os.path.ismount(output):
        found = f"the root of a disk, {output}; give a folder in it" if os.path.ismount(output) else f"none in {folder}"
        raise ModelError(f"output={output}: expected a place to write, found {found}")


def check_own(output: Path, what: str, own: Sequence[str]) -> None:
    """Tell of what somebody else keeps in a folder that is to be replaced as a whole.

    Args:
        output: of the folder, which may not be there.
        what: is made, as a message calls it.
        own: patterns of the names that are replaced.

    Raises:
        ModelError: something else lies there.
    """
    names = sorted(path.name for path in output.iterdir()) if output.is_dir() else []
    if others := [name for name in names if not any(Path(name).match(pattern) for pattern in own)]:
        raise ModelError(f"output={output}: expected {what} and nothing else there, found {', '.join(others[:5])} too")


def _holds_something(place: Path) -> bool:
    return any(place.iterdir()) if place.is_dir() else place.exists()


def take_place(draft: Path, output: Path) -> None:
    """Move a complete folder to where it is to be, in place of one of the same kind."""
    shutil.rmtree(former(output), ignore_errors=True)
    if output.exists():
        os.replace(output, former(output))
    try:
        os.replace(draft, output)
    except OSError:
        if former(output).exists():
            os.replace(former(output), output)
        raise
    shutil.rmtree(former(output), ignore_errors=True)


def former(output: Path) -> Path:
    """Where the folder that is replaced lies meanwhile."""
    return output.parent / f".{output.name}.replaced"
