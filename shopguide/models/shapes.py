"""Sizes that recur. On CPU a matrix product in bfloat16 is compiled for its shape, at the price of many rows.

Batches of other numbers of tokens would each pay it, and take memory of other sizes than what the last batch freed.
"""


def recurring(count: int) -> int:
    """The next multiple of a power of two that is at most a sixteenth of the count: up to 1/16 more, seldom new."""
    power = 1 << max(0, (count // 16).bit_length() - 1)
    return -(-count // power) * power
