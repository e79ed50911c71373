"""How many threads torch's operators take in one thread of Python."""

import ctypes
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import torch
from threadpoolctl import ThreadpoolController

LIBRARY = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"


def own_threads(count: int) -> None:
    """From now on, operators that the calling thread runs on the CPU take so many threads; those of others as before.

    `torch.set_num_threads` would settle it for threads to come, too.
    """
    torch.get_num_threads()  # settles the usual number, which would else be settled by the first operator
    _libraries().limit(limits=count, user_api="openmp")
    _limit_mkl()(count)


@lru_cache(maxsize=1)
def _limit_mkl() -> Callable[[int], object]:
    """MKL's own number, which goes before OpenMP's once somebody has set it; MKL is a part of torch's library."""
    try:
        limit: Callable[[int], object] = ctypes.CDLL(str(LIBRARY)).MKL_Set_Num_Threads_Local
    except (OSError, AttributeError):  # a torch without it
        return lambda count: count
    return limit


@lru_cache(maxsize=1)
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()
