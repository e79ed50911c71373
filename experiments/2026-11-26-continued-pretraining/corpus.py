"""The text to continue pretraining on: open sets, and the training parts of the sets that are fine-tuned afterwards.

    python CORPUS zh|en --data DATA --to FOLDER   # CORPUS: this file

Writes `products.jsonl` (a text each, as its title) and `entities.txt` (a phrase each: gazetteers, attribute values,
annotated spans of training rows). A text that stands among the held-out ones of those sets (but for case and
punctuation) is left out. Prints one JSON line last.
"""

import argparse
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path

from shopguide.config import DataConfig
from shopguide.experiment.entities import entities
from shopguide.experiment.prepare import Material, load_material
from shopguide.records.splits import normalised

TEXTS = {
    "zh": {
        "multi_cpr_queries": 40_000,
        "online_shopping_10_cats": 6_000,
        "product_brand_ner": None,
        "taobao_ner": None,
    },
    "en": {"bestbuy_products": 15_000, "icecat": 10_000, "mwpd2020": None, "queryner": None},
}
"""Set → how many of its texts (drawn once), all training ones where nothing is said."""
GAZETTEERS = {"zh": "product_brand_ner/dics/*.gz", "en": "none"}
LONGEST = 160
"""Characters of a text."""


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("language", choices=sorted(TEXTS))
    made.add_argument("--data", required=True, type=Path)
    made.add_argument("--to", required=True, type=Path)
    args = made.parse_args()
    texts: set[str] = set()
    held_out: set[str] = set()
    phrases: set[str] = set()
    for name, number in TEXTS[args.language].items():
        material = load_material(DataConfig(name=name, reader=name, root=str(args.data / name)))
        own = sorted(set(texts_of(material, number is not None)))
        texts |= set(own if number is None else random.Random(0).sample(own, number))
        held_out |= {normalised(text) for text in texts_of(material, False, part="dev")} if number is None else set()
        phrases |= entities(["catalogue"], material)
    for path in sorted(args.data.glob(GAZETTEERS[args.language])):
        phrases |= set(gzip.decompress(path.read_bytes()).decode("utf-8").splitlines())
    kept = sorted(text for text in texts if normalised(text) not in held_out)
    random.Random(0).shuffle(kept)
    args.to.mkdir(parents=True, exist_ok=True)
    rows = (json.dumps({"item_id": f"t{n}", "title": text}, ensure_ascii=False) for n, text in enumerate(kept))
    (args.to / "products.jsonl").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    chosen = sorted(phrase for phrase in phrases if 2 <= len(phrase) <= 40)
    (args.to / "entities.txt").write_text("".join(f"{phrase}\n" for phrase in chosen), encoding="utf-8")
    characters = sum(map(len, kept))
    print(json.dumps({"texts": len(kept), "characters": characters, "phrases": len(chosen), "held_out": len(held_out)}))


def texts_of(material: Material, everything: bool, part: str = "train") -> Iterator[str]:
    shop, parts = material.shop, material.parts
    for row, split in zip(shop.products, parts.products, strict=True):
        if everything or split == part:
            yield row["title"][:LONGEST]
    for row, split in zip(shop.annotations, parts.annotations, strict=True):
        if everything or split == part:
            yield row["text"][:LONGEST]
    for row, split in zip(shop.behaviours, parts.behaviours, strict=True):
        if row["query"] and (everything or split == part):
            yield row["query"][:LONGEST]


if __name__ == "__main__":
    main()
