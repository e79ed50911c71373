"""What a guide finds on a catalogue that its models have not seen: 20 queries, to be looked at.

    python experiments/2026-11-28-guide/look.py --root FOLDER_WITH_RUNS --run ID[,ID] --data DATA/icecat

Prints a table in Markdown: each query and the first three products.
"""

import argparse
from pathlib import Path

from shopguide.checks import parse
from shopguide.config import DataConfig
from shopguide.experiment.guiding import build_guide
from shopguide.guide.searching import Query
from shopguide.runs.store import open_store

QUERIES = (
    "wireless mouse",
    "wirless keybord",
    "27 inch monitor",
    "hp laser printer",
    "ink cartridge for epson",
    "black toner",
    "laptop backpack",
    "ssd 1 tb",
    "hdmi cable 2m",
    "noise cancelling headphones",
    "something to hear music with on the train",
    "usb hub",
    "gaming laptop",
    "network switch 24 ports",
    "memory for a server",
    "webcam for video calls",
    "tablet case",
    "projector for a meeting room",
    "battery for a notebook",
    "sourdough bread",
)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--root", type=Path, required=True)
    made.add_argument("--run", default="latest")
    made.add_argument("--data", type=Path, required=True)
    options = made.parse_args()
    store = open_store(None, "shopguide", options.root, create=False)
    data = {"name": "icecat", "reader": "icecat", "root": str(options.data), "cache_dir": str(options.root / "cache")}
    guide = build_guide(store, options.run, parse(DataConfig, data), "auto").guide
    print("| query | first | second | third |\n|---|---|---|---|")
    for query in QUERIES:
        (found,) = guide.search([Query(query)], [3])
        asked = query if found.searched == query else f"{query} → {found.searched}"
        print(f"| {asked} | {' | '.join(item.title[:80] for item in found.items)} |")


if __name__ == "__main__":
    main()
