"""`python -m shopguide.serve`: a trained model at work on a catalogue, over HTTP and as a page."""

import math
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import field
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field
from pydantic.dataclasses import dataclass

from shopguide.checks import parse, path_faults
from shopguide.command_line.command import Command
from shopguide.command_line.running import run
from shopguide.config import STRICT, DataConfig, InferencePrecision, TrackingConfig
from shopguide.errors import ConfigError

if TYPE_CHECKING:
    from shopguide.guide.guide import Served

FREE_TEXT = frozenset({"run", "keys", "writer"})
OPEN_KEYS = frozenset({"data.options"})
KEYS = "SHOPGUIDE_API_KEYS"
"""Environment variable: keys with commas between them."""


@dataclass(config=STRICT)
class ServeConfig:
    """Which models serve which catalogue, and where."""

    run: str = "latest"
    """Several with commas: of each task, the model of the first that has it."""
    data: DataConfig | None = None
    """The catalogue; None: that of the training."""
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    keys: str | None = None
    """File with a key a line (# begins a comment), of which a client sends one; and those of SHOPGUIDE_API_KEYS."""
    handover: list[str] = field(default_factory=lambda: ["talk_to_person"])
    """Intents that a person answers, after the shop's reply."""
    writer: str | None = None
    """Hub name or folder of a GPT-like model that words answers on products; None: what they rest on is told."""
    together: int = Field(default=16, ge=1)
    waiting: int = Field(default=64, ge=1)
    seconds: float = Field(default=5.0, gt=0)
    precision: InferencePrecision = "auto"
    tracking: TrackingConfig = field(default_factory=TrackingConfig)

    def __post_init__(self) -> None:
        if self.keys is not None and not Path(self.keys).expanduser().is_file():
            raise ValueError(f"keys={self.keys}: expected a file with a key a line, found none there")


def check(values: dict[str, object]) -> ServeConfig:
    """The typed settings, or a ConfigError with every fault."""
    return parse(ServeConfig, values, list(path_faults(values)))


def serve(config: ServeConfig) -> None:
    """Serve until Ctrl-C or SIGTERM, which end what was begun; on SIGHUP, take the models and the catalogue anew."""
    keys, bound = read_keys(config), _bound(config)  # what is wrong with them is told before anything is loaded
    try:
        import uvicorn

        from shopguide.guide.service import Limits, Source, log_to_stderr, make_app, reload
    except ImportError as error:
        found = f"serve: expected the package {error.name}, found none"
        raise ConfigError(f"{found}; pip install 'shopguide[serve]'") from error
    if not keys and not ip_address(bound.getsockname()[0]).is_loopback:
        print(f"host={config.host}: reached by other machines, and no key is asked for (keys=<file>)", file=sys.stderr)
    shop = _shop(config)
    source = Source(shop, keys)
    app = make_app(source, Limits(config.together, config.waiting, config.seconds))
    patience = math.ceil(2 * config.seconds) + 1  # of a stop: what was begun, body and answer, has ended by then
    settings = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=patience)
    server = uvicorn.Server(settings)
    log_to_stderr()
    _on_signals(lambda: reload(source, lambda: _shop(config)))
    bound.listen()
    host, port = bound.getsockname()[:2]
    print(f"{len(shop.guide.shelf):,} products, tasks {', '.join(sorted(shop.guide.models))}")
    print(f"http://{f'[{host}]' if ':' in host else host}:{port}  (Ctrl-C ends it)", flush=True)
    server.run(sockets=[bound])
    if source.renewing.locked():  # a thread amid torch's work can neither be ended nor be left to Python's end
        sys.stderr.flush()
        os._exit(0)


def _bound(config: ServeConfig) -> socket.socket:
    """A place that is taken already, and refuses connections until the models are there."""
    try:
        found = socket.socket(socket.AF_INET6 if ":" in config.host else socket.AF_INET)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else an answer waits 40 ms for an acknowledgement
        found.bind((config.host, config.port))
        return found
    except (OSError, OverflowError) as error:
        place = f"host={config.host} port={config.port}"
        raise ConfigError(f"{place}: cannot be listened on ({error}); port=0 takes one that is free") from error


def _on_signals(renew: Callable[[], None]) -> None:
    """uvicorn stops by SIGINT and SIGTERM, and raises them again when it has: it is over then."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, lambda *_: threading.Thread(target=renew, daemon=True).start())


def _shop(config: ServeConfig) -> "Served":
    from shopguide.experiment.guiding import build_guide
    from shopguide.runs.store import open_store

    store = open_store(config.tracking.uri, config.tracking.experiment, Path(config.tracking.root), create=False)
    return build_guide(store, config.run, config.data, config.precision, config.handover, config.writer)


def read_keys(config: ServeConfig) -> list[str]:
    """The keys that clients may send; none: no key is asked for."""
    lines = Path(config.keys).expanduser().read_text(encoding="utf-8-sig").splitlines() if config.keys else []
    found = [
        key
        for raw in [*lines, *os.environ.get(KEYS, "").split(",")]
        if (key := raw.strip()) and not key.startswith("#")
    ]
    if not found and (config.keys or KEYS in os.environ):
        raise ConfigError(f"keys={config.keys}, {KEYS}: expected a key, found none; leave both out to ask for none")
    return found


def main() -> None:
    """Read the command line and run it."""
    run(Command("serve", check, serve, free_text=FREE_TEXT, open_keys=OPEN_KEYS))


if __name__ == "__main__":
    main()
