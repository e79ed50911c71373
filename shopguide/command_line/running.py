"""From what the user typed to a job that runs: checked first, then handed to Hydra, which sweeps."""

import os
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from shopguide.command_line.command import Command, conf_dir
from shopguide.command_line.composing import composition, flag_first, plain_settings, whole_composition
from shopguide.command_line.jobs import check_all
from shopguide.errors import ShopguideError, was_interrupted
from shopguide.grid import Grid
from shopguide.machine import prepare_process

USER_MISTAKE = 2
INTERRUPTED = 130
TOLD = {"-h", "--help", "--hydra-help", "-i", "--info", "-c", "--cfg", "-sc", "--shell-completion"}
"""Flags with which Hydra tells something, and runs nothing."""


def run(command: Command, argv: list[str] | None = None) -> None:
    """Check the command line, then let Hydra run its job or jobs; a user's mistake exits with code 2."""
    prepare_process()
    whole_composition.cache_clear()
    composition.cache_clear()
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    try:
        grid, argv = check_all(command, words(command, sys.argv[1:] if argv is None else argv))
        sys.argv = [f"shopguide.{command.name}", *argv]
        if grid is not None and command.around_sweep is not None:
            command.around_sweep(grid, lambda: _hydra(command, grid, argv))
        else:
            _hydra(command, grid, argv)
    except ShopguideError as error:
        _exit(str(error))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    if command.failures:
        sys.exit(1)


def words(command: Command, typed: list[str]) -> list[str]:
    """What was typed as Hydra reads it: quoted, opened where any key may be added, and in full."""
    opened = [_open(_quote(word, command), command) for word in typed]
    return flag_first(opened if TOLD & set(opened) else command.expand(opened))


def _hydra(command: Command, grid: Grid | None, argv: list[str]) -> None:
    import hydra
    from hydra.types import RunMode
    from omegaconf import DictConfig

    def job(config: DictConfig) -> object:
        return _guarded(command, config)

    is_plain = grid is None and not any(word.lstrip("+~").startswith(("-", "hydra")) for word in argv)
    whole = whole_composition(command.name, tuple(argv), None) if is_plain else None
    if whole is None or whole.hydra.mode not in (None, RunMode.RUN):
        hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=command.name)(job)()
    else:
        _run_composed(whole, command.name, argv, job)


def _run_composed(whole: Any, name: str, argv: list[str], job: Callable[[Any], object]) -> None:
    """As `hydra.main` runs one job, without composing its settings twice more."""
    from hydra._internal.hydra import Hydra
    from hydra._internal.utils import create_config_search_path
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.utils import configure_log

    configure_log(whole.hydra.hydra_logging, whole.hydra.verbose)
    try:
        made = Hydra.create_main_hydra2(name, create_config_search_path(str(conf_dir())))
        made.compose_config = lambda **_: whole  # type: ignore[method-assign]
        made.run(name, job, argv)
    finally:
        GlobalHydra.instance().clear()


def _guarded(command: Command, config: Any) -> object:
    """Run one job: no traceback for a user's mistake; in a sweep the other jobs go on."""
    from hydra.core.hydra_config import HydraConfig
    from hydra.types import RunMode

    sweeping = HydraConfig.get().mode == RunMode.MULTIRUN
    try:
        return command.job(command.check(plain_settings(config)))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    except ShopguideError as error:
        if not sweeping:
            _exit(str(error))
        print(f"error: {error}", file=sys.stderr)
        command.failures.append(str(error))
    except Exception as error:
        if was_interrupted(error):
            print("interrupted", file=sys.stderr)
            sys.exit(INTERRUPTED)
        if not sweeping:
            raise
        import traceback

        traceback.print_exc()
        command.failures.append(str(error))
    return float("nan")


def _exit(message: str) -> NoReturn:
    print(f"error: {message}", file=sys.stderr)
    sys.exit(USER_MISTAKE)


def _quote(argument: str, command: Command) -> str:
    """`text=红色, size 42` → a value that Hydra's grammar reads back to the letter."""
    key, equals, value = argument.partition("=")
    if not equals or key not in command.free_text:
        return argument
    escaped = re.sub(r"(\\*)'", lambda m: m.group(1) * 2 + "\\'", value)
    trailing = re.search(r"\\*$", escaped)
    tail = trailing.group(0) if trailing and not escaped.endswith("\\'") else ""
    return f"{key}='{escaped}{tail}'"


def _open(override: str, command: Command) -> str:
    """`trainer.devices=2` → `++trainer.devices=2`: below an open key, any key may be set.

    `experiment=…` needs no plus.
    """
    if override.startswith("experiment="):
        return f"+{override}"
    return f"++{override}" if any(override.startswith(f"{key}.") for key in command.open_keys) else override
