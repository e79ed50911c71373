"""A folder that is there whole or not at all, however many processes want it at the same time."""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock


def make_once(folder: Path, there: Callable[[], bool], make: Callable[[Path], None]) -> bool:
    """Make a folder where it is not there yet: of processes that start together one does it, the others wait for it.

    Args:
        folder: appears only when it is complete; one that is there, but not as wanted, is replaced.
        there: whether it is there as wanted.
        make: fills the empty folder that it is given.

    Returns:
        Whether it had to be made.
    """
    if there():
        return False
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.lock")):
        if there():
            return False
        draft = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            make(draft)
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return True
