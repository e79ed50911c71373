"""Objects that a setting names by their class: tasks and losses."""

import importlib
from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from shopguide.errors import ConfigError


def build_task(name: str, options: Mapping[str, Any]) -> Any:
    """The task object that a `tasks.<name>` entry describes.

    Raises:
        ConfigError: its class cannot be imported.
        pydantic.ValidationError: an option is not valid.
    """
    return build(f"tasks.{name}", options, {"name": name})


def build_loss(options: Mapping[str, Any]) -> Any:
    """The loss that `finetune.loss` describes.

    Raises:
        ConfigError: its class cannot be imported.
        pydantic.ValidationError: an option is not valid.
    """
    return build("finetune.loss", options, {})


def build(key: str, options: Mapping[str, Any], more: Mapping[str, Any]) -> Any:
    """The object of a setting.

    Args:
        key: of the setting, for messages.
        options: `target` (dotted class), and arguments of that class.
        more: further arguments.

    Raises:
        ConfigError: its class cannot be imported.
        pydantic.ValidationError: an argument is not valid.
    """
    module, _, attribute = str(options["target"]).rpartition(".")
    try:
        cls = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{key}.target={options['target']}: cannot be imported ({error})") from error
    return TypeAdapter(cls).validate_python({**more, **{k: v for k, v in options.items() if k != "target"}})
