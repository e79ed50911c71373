"""From what the user typed to checked configurations: the one place that knows Hydra.

Hydra composes and sweeps. Before it runs anything, every job of the command line is composed and checked here, so that
a mistake in the last job of a sweep is told at once, all mistakes together, in the user's own words.
"""

import contextlib
import os
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

from shopguide.axes import Axis, axis_of, corners
from shopguide.checks import faulty
from shopguide.errors import ConfigError, ShopguideError, nearest, was_interrupted
from shopguide.grid import Grid
from shopguide.machine import prepare_process

USER_MISTAKE = 2
INTERRUPTED = 130
TOLD = {"-h", "--help", "--hydra-help", "-i", "--info", "-c", "--cfg", "-sc", "--shell-completion"}
"""Flags with which Hydra tells something, and runs nothing."""


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
    packaged = Path(__file__).parent / "conf"
    return packaged if packaged.is_dir() else Path(__file__).parents[1] / "conf"


def run(command: Command, argv: list[str] | None = None) -> None:
    """Check the command line, then let Hydra run its job or jobs; a user's mistake exits with code 2."""
    prepare_process()
    _whole.cache_clear()
    _composition.cache_clear()
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    try:
        grid, argv = _check_all(command, words(command, sys.argv[1:] if argv is None else argv))
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
    return _flag_first(opened if TOLD & set(opened) else command.expand(opened))


def _hydra(command: Command, grid: Grid | None, argv: list[str]) -> None:
    import hydra
    from hydra.types import RunMode
    from omegaconf import DictConfig

    def job(config: DictConfig) -> object:
        return _guarded(command, config)

    is_plain = grid is None and not any(word.lstrip("+~").startswith(("-", "hydra")) for word in argv)
    whole = _whole(command.name, tuple(argv), None) if is_plain else None
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
        return command.job(command.check(_plain(config)))
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


def composed(name: str, typed: list[str]) -> dict[str, Any]:
    """The settings that were typed, without those that vary; empty where they cannot be composed (the check says why).

    Args:
        name: of the command.
        typed: its words.
    """
    from hydra._internal.utils import get_args_parser
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    args = get_args_parser().parse_args(_flag_first(typed))
    try:
        parsed = OverridesParser.create().parse_overrides(args.overrides)
        return _unresolved(_composition(name, tuple(_fixed(parsed)), args.config_dir))
    except HydraException:
        return {}


@lru_cache(maxsize=8)
def _composition(name: str, overrides: tuple[str, ...], config_dir: str | None) -> Any:
    """The settings as Hydra composes them, without its own: nobody is to change them."""
    from omegaconf import OmegaConf

    whole = _whole(name, overrides, config_dir)
    return OmegaConf.masked_copy(whole, [key for key in whole if key != "hydra"])


@lru_cache(maxsize=8)
def _whole(name: str, overrides: tuple[str, ...], config_dir: str | None) -> Any:
    """The settings with Hydra's own, which takes it a tenth of a second: only who runs them may change them."""
    from hydra import compose, initialize_config_dir

    search = [f"hydra.searchpath=[file://{Path(config_dir).absolute()}]"] if config_dir else []
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose(name, overrides=[*overrides, *search], return_hydra_config=True)


def _fixed(parsed: list[Any]) -> list[str]:
    return [str(override.input_line) for override in parsed if not override.is_sweep_override()]


def _unresolved(config: Any) -> dict[str, Any]:
    from omegaconf import OmegaConf

    found = OmegaConf.to_container(config, resolve=False)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def _plain(config: Any) -> dict[str, Any]:
    from omegaconf import OmegaConf

    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise faulty([f"{key}: required; set it as {key}=…" for key in missing])
    plain: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    return _chosen(plain)


def _chosen(plain: dict[str, Any]) -> dict[str, Any]:
    """Without what an experiment sets of a choice that was not taken, as of a task: it lacks the class."""
    groups = {name: own for name, own in plain.items() if isinstance(own, Mapping) and (conf_dir() / name).is_dir()}
    left = {
        group: {
            name: own
            for name, own in value.items()
            if not (isinstance(own, Mapping) and "target" not in own and _keyed(conf_dir() / group / f"{name}.yaml"))
        }
        for group, value in groups.items()
    }
    return plain | left


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


def _flag_first(argv: list[str]) -> list[str]:
    """`-m` may stand anywhere: Hydra's parser refuses it between overrides."""
    return sorted(argv, key=lambda argument: argument not in ("-m", "--multirun"))


def _check_all(command: Command, argv: list[str]) -> tuple[Grid | None, list[str]]:
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
            return command.check(_plain(_composition(command.name, tuple(job), args.config_dir)))
        except HydraException as error:
            raise ConfigError(_in_own_words(error)) from error

    try:
        parsed = OverridesParser.create().parse_overrides(overrides)
        _known_overrides(command, parsed, args.config_dir)
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
    fixed = _fixed(parsed)
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


def _open(override: str, command: Command) -> str:
    """`trainer.devices=2` → `++trainer.devices=2`: below an open key, any key may be set.

    `experiment=…` needs no plus.
    """
    if override.startswith("experiment="):
        return f"+{override}"
    return f"++{override}" if any(override.startswith(f"{key}.") for key in command.open_keys) else override


def _known_overrides(command: Command, parsed: list[Any], config_dir: str | None) -> None:
    """Every unknown key or choice in one message, each with the nearest that exists."""
    folders = [conf_dir(), *([Path(config_dir)] if config_dir else [])]
    groups = {p.name for folder in folders for p in folder.iterdir() if p.is_dir()}
    faults, plain, added = [], [], []
    for override in parsed:
        key = override.key_or_group
        if key in groups:
            faults += _choice_faults(key, override, folders)
        elif not (key.startswith("hydra") or override.is_add() or override.is_force_add() or override.is_delete()):
            plain.append(key)
        elif override.is_add() and not override.is_force_add() and "." not in key:
            faults.append(f"+{key}: no such group of choices{nearest(key, groups)}")
        elif _of_choice(key, folders):
            added.append(key)
    if not faults:
        known = _known(command, parsed, config_dir, groups)
        faults += [_unknown_key(key, known, groups, folders) for key in plain if key not in known]
        faults += [_unknown_key(key, known, groups, folders) for key in added if _goes_without(key, known)]
    if faults:
        raise faulty(faults)


def _known(command: Command, parsed: list[Any], config_dir: str | None, groups: set[str]) -> set[str]:
    """The keys that there are: in the settings as typed, which are composed anyway, if they can be; where something
    varies, or is added that is not below an open key, in those that are chosen.
    """
    from hydra.errors import HydraException

    fixed = _fixed(parsed)
    below = tuple(f"{key}." for key in command.open_keys)
    added = [o for o in parsed if (o.is_add() or o.is_force_add()) and o.key_or_group not in groups]
    if len(fixed) == len(parsed) and all(override.key_or_group.startswith(below) for override in added):
        with contextlib.suppress(HydraException):
            return _keys(_chosen(_unresolved(_composition(command.name, tuple(fixed), config_dir))))
    chosen = [o.input_line for o in parsed if o.key_or_group in groups and not o.is_sweep_override()]
    return _keys(_chosen(_unresolved(_composition(command.name, tuple(chosen), config_dir))))


def _of_choice(key: str, folders: list[Path]) -> bool:
    """Whether it is one of a choice whose settings stand below its own name."""
    group, choice, *_ = f"{key}.".split(".")
    return any(_keyed(folder / group / f"{choice}.yaml") for folder in folders)


def _goes_without(key: str, known: set[str]) -> bool:
    """Whether an added key of such a choice is of one not taken, and not alone what would make it one with a class."""
    group, choice, *rest = f"{key}.".split(".")
    return rest not in ([""], ["target", ""]) and f"{group}.{choice}" not in known


def _unknown_key(key: str, known: set[str], groups: set[str], folders: list[Path]) -> str:
    group, choice, *_ = f"{key}.".split(".")
    if group in groups and group not in known:
        return f"{key}: goes with {group}=<name>, which is not given"
    if f"{group}.{choice}" not in known and _of_choice(key, folders):
        return f"{key}: goes with {group}=[{choice}], which is not chosen"
    return f"{key}: no such setting{nearest(key, known)}"


def _keyed(path: Path) -> bool:
    """Whether the settings of a choice stand below its own name, as those of a task do."""
    return path.is_file() and any(line.startswith(f"{path.stem}:") for line in path.read_text("utf-8").splitlines())


def _choice_faults(group: str, override: Any, folders: list[Path]) -> list[str]:
    valid = {p.stem for folder in folders for p in (folder / group).glob("*.yaml")}
    value = override.value()
    if override.is_interval_sweep():
        return [f"{override.input_line}: expected names of choices, as in {group}={','.join(sorted(valid)[:2])}"]
    if override.is_sweep_override():
        chosen = [str(v) for v in override.sweep_string_iterator()]
    else:
        chosen = [str(v) for v in (value if isinstance(value, list) else [value])]
    chosen = [c.strip("[] ") for word in chosen for c in word.split(",") if c.strip("[] ")]
    return [f"{group}={c}: no such choice{nearest(c, valid)}" for c in chosen if c not in valid and c != "None"]


def _keys(tree: Any, prefix: str = "") -> set[str]:
    """Every dotted key of a nested mapping."""
    keys: set[str] = set()
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            keys |= {f"{prefix}{name}"} | _keys(value, f"{prefix}{name}.")
    return keys


def _in_own_words(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip() and "hydra" not in line.lower()]
    if interval := re.search(r"override '(\S+=.*interval\(.*)'\s+TypeError", str(error)):
        return f"{interval.group(1)}: expected interval(<lower>,<higher>), two numbers"
    hint = "; other than plain letters go in quotes, as in {a: '好'}" if "LexerNoViableAlt" in str(error) else ""
    return "the command line cannot be read: " + " ".join(lines or [type(error).__name__]).strip() + hint
