"""Write a public shop's products as a shop's own files, without what shoppers asked for.

python experiments/2026-11-29-catalogue-alone/products.py --data DATA/homedepot --output FOLDER
"""

import argparse
import json
from pathlib import Path

from shopguide.records.tables import load_shop


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, required=True)
    made.add_argument("--output", type=Path, required=True)
    options = made.parse_args()
    options.output.mkdir(parents=True)
    shop = load_shop(options.data.name, options.data, cache_dir=options.output / "cache")
    with (options.output / "products.jsonl").open("w", encoding="utf-8") as file:
        for product in shop.products:
            own = {name: product[name] for name in ("item_id", "title", "description")}
            file.write(json.dumps(own, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
