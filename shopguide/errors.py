"""The one small exception hierarchy: mistakes that a user can mend.

The commands show the message of a `ShopguideError` without a traceback and exit with code 2.
Each message says what was expected, what was found and how to mend it. Our own invariants use `assert`.
"""

import difflib
from collections.abc import Iterable


class ShopguideError(ValueError):
    """A mistake that the user can mend."""


class ConfigError(ShopguideError):
    """A setting is unknown, of the wrong type or out of range."""


class DataError(ShopguideError):
    """Records are missing, malformed or too few for what was asked of them."""


class ModelError(ShopguideError):
    """A backbone, tokenizer or saved model cannot be loaded or used as asked."""


class RunError(ShopguideError):
    """A tracked run does not exist, or cannot be used as asked."""


def was_interrupted(error: BaseException | None) -> bool:
    """Whether a library made another error of Ctrl-C, as Python does of one that falls into a class's making."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__cause__ or error.__context__
    return error is not None


def nearest(word: str, candidates: Iterable[str]) -> str:
    """`; did you mean …?` and the valid names, to append to a message."""
    names = sorted(set(candidates))
    begun = [name for name in names if len(word) > 3 and name.startswith(word)]
    close = begun or difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    return hint + (f" (valid: {', '.join(names)})" if len(names) <= 24 else "")


class Pruned(Exception):  # noqa: N818
    """A search gave a job up: nobody's mistake."""
