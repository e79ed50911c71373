"""The one small exception hierarchy: mistakes that a user can mend.

The commands show the message of a `ShopguideError` without a traceback and exit with code 2.
Each message says what was expected, what was found and how to mend it. Our own invariants use `assert`.
"""


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
