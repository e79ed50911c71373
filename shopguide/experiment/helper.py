"""One of several processes that train together, but the first: it trains along, and ends."""

import pickle
import sys
from pathlib import Path

from shopguide.machine import prepare_process


def main() -> None:
    """Do the work that the first process has left in a file."""
    prepare_process()
    from shopguide.experiment.fit import fit

    with Path(sys.argv[1]).open("rb") as file:
        work = pickle.load(file)
    fit(*work)


if __name__ == "__main__":
    main()
