"""What a piece of work is: its settings and its data, as one hash, by which work that is done is found again."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

IDENTITY = "shopguide.identity"
"""Tag of the runs that another command may find again."""


def identity(facts: Mapping[str, Any]) -> str:
    """Sixteen letters that are the same for the same facts, in whatever order."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def content(folder: Path) -> str:
    """As `identity`, of a folder's files, by their names and what they hold."""
    found = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        with path.open("rb") as file:
            found.update(
                f"{path.relative_to(folder)}\x1f{hashlib.file_digest(file, 'sha256').hexdigest()}\x1e".encode()
            )
    return found.hexdigest()[:16]


@contextmanager
def alone(root: str | Path, name: str, wait: bool) -> Iterator[bool]:
    """Hold a piece of work for as long as the block lasts: of the processes below one `tracking.root`, one may do it.

    A process that is killed holds nothing any more.

    Args:
        root: folder of the embedded store and of the checkpoints.
        name: of the work.
        wait: until the process that holds it is done.

    Yields:
        Whether it is held.
    """
    folder = Path(root).absolute() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"{name}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if not wait:
            yield False
            return
        print(f"{name.partition('-')[0]}: waiting for the process that does it", flush=True)
        lock.acquire()
    try:
        yield True
    finally:
        lock.release()
