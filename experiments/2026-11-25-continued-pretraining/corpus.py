"""One shop of open text out of several public sets: training rows only.

    python experiments/2026-11-25-continued-pretraining/corpus.py zh --data DATA --out FOLDER

Writes FOLDER/products.jsonl, whose titles are the texts, and FOLDER/entities.txt, the phrases that the sets name
themselves (attribute values, categories, marked spans).
"""

import argparse
import json
from pathlib import Path

from shopguide.config import CATALOGUE, DataConfig
from shopguide.experiment.entities import entities
from shopguide.experiment.prepare import load_material
from shopguide.text.documents import pretraining_documents

SETS = {
    "zh": {
        "multi_cpr_queries": ["queries"],
        "product_brand_ner": ["annotations"],
        "taobao_ner": ["annotations"],
        "eprstmt": ["products"],
    },
    "en": {"bestbuy_products": ["products"], "queryner": ["annotations"], "mwpd2020": ["products"]},
}
"""Language → set → kinds of its documents."""
FIELDS = ("title",)


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("language", choices=sorted(SETS))
    made.add_argument("--data", type=Path, required=True, help="folder of the sets")
    made.add_argument("--out", type=Path, required=True)
    args = made.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    texts: dict[str, None] = {}
    phrases: set[str] = set()
    for name, kinds in SETS[args.language].items():
        material = load_material(DataConfig(name=name, reader=name, root=str(args.data / name)))
        documents = pretraining_documents(material.shop, material.parts, kinds, FIELDS)
        texts |= dict.fromkeys(" ".join(document) for document in documents)
        phrases |= entities([CATALOGUE], material)
    with (args.out / "products.jsonl").open("w", encoding="utf-8") as file:
        for number, text in enumerate(texts):
            file.write(json.dumps({"item_id": str(number), "title": text}, ensure_ascii=False) + "\n")
    (args.out / "entities.txt").write_text("".join(f"{phrase}\n" for phrase in sorted(phrases)), encoding="utf-8")
    print(json.dumps({"language": args.language, "texts": len(texts), "entities": len(phrases)}))


if __name__ == "__main__":
    main()
