"""What a process settles with its machine before torch is there."""

import os


def prepare_process() -> None:
    """Have torch's large tensors on the CPU lie on huge pages, where Linux has any to give.

    The logits of a step are tens of megabytes, taken and given back each step: with pages of 4 kB, a tenth of a step
    goes into handing them out. What the user's environment says already is kept.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
