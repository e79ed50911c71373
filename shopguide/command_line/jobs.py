"""The jobs that a command line stands for, each composed and checked before Hydra runs anything.

A mistake in the last job of a sweep is told at once, all mistakes together, in the user's own words.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from shopguide.axes import Axis, axis_of, corners
from shopguide.command_line.command import Command
from shopguide.command_line.composing import composed, composition, plain_settings, settled
from shopguide.command_line.names import check_names
from shopguide.errors import ConfigError
from shopguide.grid import Grid


def check_all(command: Command, argv: list[str]) -> tuple[Grid | None, list[str]]:
    """Compose and check each job that Hydra would run.

    Returns:
        The jobs of a sweep (None if it is none), and the arguments.
    """
    from hydra._internal.utils import get_args_parser
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    args = get_args_parser().parse_args(argv)
    if args.help or args.hydra_help or args.info or args.cfg or args.shell_completion:
        return None, argv
    rest = [a for a in argv if a not in args.overrides]
    overrides = args.overrides

    def settings(job: list[str]) -> Any:
        try:
            return command.check(plain_settings(composition(command.name, tuple(job), args.config_dir)))
        except HydraException as error:
            raise ConfigError(_in_own_words(error)) from error

    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
        check_names(command, parsed, args.config_dir)
        if varied := next((one for one in parsed if one.is_sweep_override() and not args.multirun), None):
            how = "-m and sweep.search=tpe" if varied.is_interval_sweep() else "-m (or cv.folds=5)"
            raise ConfigError(f"{varied.input_line}: goes with {how}: it stands for several jobs; a list has brackets")
        if args.multirun:
            return _grid(command, parsed, settings), rest + overrides
        settings(overrides)
    except HydraException as error:
        raise ConfigError(_in_own_words(error)) from error
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(str(error)) from error
    return None, rest + overrides


def _grid(command: Command, parsed: list[Any], settings: Callable[[list[str]], Any]) -> Grid:
    """All jobs of a sweep; of a search, points at which each of its values, or both their ends, are tried."""
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper

    varied = [override for override in parsed if override.is_sweep_override()]
    varying = [override.key_or_group for override in varied]
    fixed = settled(parsed)
    axes = [axis_of(override) for override in varied]
    points = [fixed + corner for corner in corners(axes)] or [fixed]
    if command.searches(first := settings(points[0])):
        if not axes:
            raise ConfigError("sweep.search: nothing varies; say what may, as in 'lr=interval(1e-5,1e-3)' epochs=1,2,4")
        checked = [first, *map(settings, points[1:])]
        usual = composed(command.name, fixed)
        axes = [_in_whole_numbers(command, axis, points[0], settings, usual) for axis in axes]
        return Grid(checked, points, varying, fixed, axes, settings)
    if interval := next((override for override in varied if override.is_interval_sweep()), None):
        raise ConfigError(f"{interval.input_line}: values between two are looked for with sweep.search=tpe (or random)")
    jobs = BasicSweeper.split_arguments(parsed, None)[0]
    return Grid([settings(job) for job in jobs], jobs, varying, fixed)


def _in_whole_numbers(
    command: Command, axis: Axis, point: list[str], settings: Callable[[list[str]], Any], usual: Mapping[str, Any]
) -> Axis:
    """The axis; one of whole numbers where it is an interval between two, and the setting takes no fraction.

    Below an open key, which takes anything, it is one unless the setting is a fraction as it stands.
    """
    if axis.choices or axis.whole or not (float(axis.low).is_integer() and float(axis.high).is_integer()):
        return axis
    key = axis.key.lstrip("+")
    if any(key.startswith(f"{one}.") for one in command.open_keys):
        return replace(axis, whole=not isinstance(_value(usual, key), float))
    between = [f"{axis.key}={axis.low + 0.5}" if word.startswith(f"{axis.key}=") else word for word in point]
    try:
        settings(between)
    except ConfigError:
        return replace(axis, whole=True)
    return axis


def _value(tree: Any, key: str) -> Any:
    for part in key.split("."):
        tree = tree.get(part) if isinstance(tree, Mapping) else None
    return tree


def _in_own_words(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip() and "hydra" not in line.lower()]
    if interval := re.search(r"override '(\S+=.*interval\(.*)'\s+TypeError", str(error)):
        return f"{interval.group(1)}: expected interval(<lower>,<higher>), two numbers"
    hint = "; other than plain letters go in quotes, as in {a: '好'}" if "LexerNoViableAlt" in str(error) else ""
    return "the command line cannot be read: " + " ".join(lines or [type(error).__name__]).strip() + hint
