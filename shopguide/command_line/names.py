"""Names on a command line that are none of its settings or choices, each with the nearest that is."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shopguide.checks import faulty
from shopguide.command_line.command import Command, conf_dir
from shopguide.command_line.composing import chosen_settings, composition, keyed, settled, unresolved
from shopguide.errors import nearest


def check_names(command: Command, parsed: list[Any], config_dir: str | None) -> None:
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

    fixed = settled(parsed)
    below = tuple(f"{key}." for key in command.open_keys)
    added = [o for o in parsed if (o.is_add() or o.is_force_add()) and o.key_or_group not in groups]
    if len(fixed) == len(parsed) and all(override.key_or_group.startswith(below) for override in added):
        with contextlib.suppress(HydraException):
            return _keys(chosen_settings(unresolved(composition(command.name, tuple(fixed), config_dir))))
    chosen = [o.input_line for o in parsed if o.key_or_group in groups and not o.is_sweep_override()]
    return _keys(chosen_settings(unresolved(composition(command.name, tuple(chosen), config_dir))))


def _of_choice(key: str, folders: list[Path]) -> bool:
    """Whether it is one of a choice whose settings stand below its own name."""
    group, choice, *_ = f"{key}.".split(".")
    return any(keyed(folder / group / f"{choice}.yaml") for folder in folders)


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
