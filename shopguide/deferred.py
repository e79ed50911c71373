"""Modules that torchmetrics imports at its own import, and that training has no use for: imported when they are used.

`scipy.signal`, of which it takes one name, for a metric of speech, and its own pictures, which import matplotlib. A
module in their place holds the names that are taken at once; asked for any other, it has the real one imported.
"""

import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

SIGNAL, PLOT = "scipy.signal", "torchmetrics.utilities.plot"


class Deferred(ModuleType):
    """Stands for a module until it is used.

    Args:
        name: of the module.
        functions: of it, which may be taken without being called.
        held: other names of it that are known.
        folders: where the modules below it are, if it has any.
    """

    def __init__(
        self, name: str, functions: Sequence[str], held: Mapping[str, Any], folders: list[str] | None = None
    ) -> None:
        super().__init__(name)
        self.__spec__ = ModuleSpec(name, None)
        if folders is not None:
            self.__spec__.submodule_search_locations = self.__path__ = folders
        self._held = {**held, **{function: self._function(function) for function in functions}}
        self.__dict__.update(self._held)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__all__":  # who goes through all modules asks for such names
            raise AttributeError(name)
        return getattr(self._imported(), name)

    def _function(self, name: str) -> Any:
        return lambda *given, **named: getattr(self._imported(), name)(*given, **named)

    def _imported(self) -> ModuleType:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        real = import_module(self.__name__)
        for name in self._held:
            if not hasattr(real, name):  # torchmetrics would have put it there
                setattr(real, name, self._held[name])
        return real


class _OfAxes(type):
    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, import_module("matplotlib.axes").Axes)


class Axes(metaclass=_OfAxes):
    """Stands for the class of matplotlib."""


def defer_imports() -> None:
    """Before torchmetrics is imported; what has been imported stays as it is."""
    scipy = find_spec("scipy")
    if scipy is not None and scipy.submodule_search_locations:
        folders = [os.path.join(folder, "signal") for folder in scipy.submodule_search_locations]
        _defer(Deferred(SIGNAL, (), {"hamming": _hamming}, folders))
    types = {"_AX_TYPE": Axes, "_PLOT_OUT_TYPE": Any, "_CMAP_TYPE": Any}
    _defer(Deferred(PLOT, ("plot_confusion_matrix", "plot_curve", "plot_single_or_multi_val"), types))


def _defer(module: Deferred) -> None:
    sys.modules.setdefault(module.__name__, module)


def _hamming(*given: Any, **named: Any) -> Any:
    return import_module(f"{SIGNAL}.windows").hamming(*given, **named)
