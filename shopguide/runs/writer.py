"""Points of curves, written in batches by a thread of its own: a call a point would cost training milliseconds each."""

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shopguide.runs.client import Client, Point

POINTS_A_CALL = 1000
SECONDS_BETWEEN_WRITES = 2.0
"""What is lost at most when the process is killed outright."""


class MetricWriter:
    """Buffers the points of one run. Any thread may add; they are written in the order in which they came."""

    def __init__(self, client: "Client", run_id: str) -> None:
        self._client, self._run_id = client, run_id
        self._points: list[Point] = []
        self._adding, self._writing = threading.Lock(), threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, points: "Sequence[Point]") -> None:
        """Take points; they are written soon."""
        with self._adding:
            self._points += points
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._write_on, name="metric writer", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Write what is buffered. Where the store does not take it, it stays buffered, and the error is raised."""
        with self._writing:
            with self._adding:
                points, self._points = self._points, []
            while points:
                try:
                    self._client.log_points(self._run_id, points[:POINTS_A_CALL])
                except BaseException:
                    with self._adding:
                        self._points = points + self._points
                    raise
                del points[:POINTS_A_CALL]

    def close(self) -> None:
        """Write the rest and stop the thread."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def _write_on(self) -> None:
        while not self._closed.wait(SECONDS_BETWEEN_WRITES):
            try:
                self.flush()
            except Exception:
                continue  # the store may be back for the next write; the last one, on close, raises
