"""How many threads torch's operators take in one thread of Python."""

from functools import lru_cache

import torch
from threadpoolctl import ThreadpoolController


def own_threads(count: int) -> None:
    """From now on, operators that the calling thread runs on the CPU take so many threads; those of others as before.

    `torch.set_num_threads` would settle it for threads to come, too.
    """
    torch.get_num_threads()  # settles the usual number, which would else be settled by the first operator
    _libraries().limit(limits=count, user_api="openmp")


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
