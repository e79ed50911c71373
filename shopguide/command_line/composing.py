"""Settings as Hydra composes them."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from shopguide.checks import faulty
from shopguide.command_line.command import conf_dir


def composed(name: str, typed: list[str]) -> dict[str, Any]:
    """The settings that were typed, without those that vary; empty where they cannot be composed (the check says why).

    Args:
        name: of the command.
        typed: its words.
    """
    from hydra._internal.utils import get_args_parser
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.errors import HydraException

    args = get_args_parser().parse_args(flag_first(typed))
    try:
        parsed = OverridesParser.create().parse_overrides(args.overrides)
        return unresolved(composition(name, tuple(settled(parsed)), args.config_dir))
    except HydraException:
        return {}


@lru_cache(maxsize=8)
def composition(name: str, overrides: tuple[str, ...], config_dir: str | None) -> Any:
    """The settings as Hydra composes them, without its own: nobody is to change them."""
    from omegaconf import OmegaConf

    whole = whole_composition(name, overrides, config_dir)
    return OmegaConf.masked_copy(whole, [key for key in whole if key != "hydra"])


@lru_cache(maxsize=8)
def whole_composition(name: str, overrides: tuple[str, ...], config_dir: str | None) -> Any:
    """The settings with Hydra's own, which takes it a tenth of a second: only who runs them may change them."""
    from hydra import compose, initialize_config_dir

    search = [f"hydra.searchpath=[file://{Path(config_dir).absolute()}]"] if config_dir else []
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return compose(name, overrides=[*overrides, *search], return_hydra_config=True)


def settled(parsed: list[Any]) -> list[str]:
    """What was typed of settings that do not vary."""
    return [str(override.input_line) for override in parsed if not override.is_sweep_override()]


def unresolved(config: Any) -> dict[str, Any]:
    """The settings as they are written, what they point to left open."""
    from omegaconf import OmegaConf

    found = OmegaConf.to_container(config, resolve=False)
    assert isinstance(found, dict)
    return {str(key): value for key, value in found.items()}


def plain_settings(config: Any) -> dict[str, Any]:
    """The settings of the choices that were taken, in full.

    Raises:
        ConfigError: some are required and not set.
    """
    from omegaconf import OmegaConf

    missing = sorted(OmegaConf.missing_keys(config))
    if missing:
        raise faulty([f"{key}: required; set it as {key}=…" for key in missing])
    plain: dict[str, Any] = OmegaConf.to_container(config, resolve=True)  # type: ignore[assignment]
    return chosen_settings(plain)


def chosen_settings(plain: dict[str, Any]) -> dict[str, Any]:
    """Without what an experiment sets of a choice that was not taken, as of a task: it lacks the class."""
    groups = {name: own for name, own in plain.items() if isinstance(own, Mapping) and (conf_dir() / name).is_dir()}
    left = {
        group: {
            name: own
            for name, own in value.items()
            if not (isinstance(own, Mapping) and "target" not in own and keyed(conf_dir() / group / f"{name}.yaml"))
        }
        for group, value in groups.items()
    }
    return plain | left


def keyed(path: Path) -> bool:
    """Whether the settings of a choice stand below its own name, as those of a task do."""
    return path.is_file() and any(line.startswith(f"{path.stem}:") for line in path.read_text("utf-8").splitlines())


def flag_first(argv: list[str]) -> list[str]:
    """`-m` may stand anywhere: Hydra's parser refuses it between overrides."""
    return sorted(argv, key=lambda argument: argument not in ("-m", "--multirun"))
