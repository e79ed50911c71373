"""What a text's encoding by the `tokenizers` library gives to a network, by the names of the network's inputs."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Encoding

NAMES = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}


def column_of(encoding: "Encoding", name: str) -> list[int]:
    """(L,) of one input.

    Args:
        encoding: of L tokens.
        name: `input_ids`, `attention_mask` or `token_type_ids`.
    """
    found: list[int] = getattr(encoding, NAMES[name])
    return found
