"""No secret reaches a config dump, a log or an artifact."""

import re
from collections.abc import Mapping
from typing import Any

SECRET = re.compile(r"(^|_)(token|password|passwd|secret|api_?key|access_?key|credentials?)$", re.IGNORECASE)
USER_IN_URI = re.compile(r"(?<=://)[^/@\s]+@")
MASK = "***"


def mask_secrets(tree: Any, key: str = "") -> Any:
    """The same settings with every value whose key names a secret, and every login in a URI, masked."""
    if isinstance(tree, Mapping):
        return {name: mask_secrets(value, str(name)) for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [mask_secrets(value, key) for value in tree]
    if tree is not None and SECRET.search(key.rpartition(".")[2]):
        return MASK
    return mask_uri(tree) if isinstance(tree, str) else tree


def mask_uri(text: str) -> str:
    """A text without the user and password of the URIs in it."""
    return USER_IN_URI.sub(f"{MASK}@", text)
