"""The generated bilingual demo shop: the files a user would bring, from a seed, with a known ceiling."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from shopguide.records.demo_shop.catalogue import Product, make_products
from shopguide.records.demo_shop.pictures import picture
from shopguide.records.demo_shop.service import make_dialogues
from shopguide.records.demo_shop.shoppers import Market
from shopguide.records.demo_shop.truth import Truth
from shopguide.records.demo_shop.words import Vocabulary
from shopguide.records.once import make_once

__all__ = ["Truth", "generate"]

VERSION = 4
IMAGES = "images"


def generate(
    folder: Path, *, products: int = 2000, behaviours: int = 6000, dialogues: int = 1500, seed: int = 0
) -> None:
    """Write `products.jsonl` with their pictures under `images/`, `behaviours.jsonl`, `dialogues.jsonl` and the hidden
    truth under `truth/`; complete or not at all.

    Behaviours are streamed: memory holds the catalogue and the shoppers of a few weeks. A folder that was made with the
    same arguments is left as it is.

    Raises:
        ValueError: no product, no behaviour, or fewer than no dialogues.
    """
    if products < 1 or behaviours < 1:
        raise ValueError(f"expected at least one product and one behaviour, found {products} and {behaviours}")
    if dialogues < 0:
        raise ValueError(f"expected 0 dialogues or more, found {dialogues}")
    made_with = {"products": products, "behaviours": behaviours, "dialogues": dialogues, "seed": seed}
    made_with["version"] = VERSION

    def there() -> bool:
        note = folder / "shop.json"
        return note.is_file() and bool(json.loads(note.read_text()) == made_with)

    def make(draft: Path) -> None:
        _make(draft, products, behaviours, dialogues, seed)
        (draft / "shop.json").write_text(json.dumps(made_with))

    make_once(folder, there, make)


def _make(folder: Path, products: int, behaviours: int, dialogues: int, seed: int) -> None:
    (folder / "truth").mkdir()
    vocabulary = Vocabulary(seed)
    catalogue = list(make_products(vocabulary, products, seed))
    _write(folder / "products.jsonl", (p.row | {"image": f"{IMAGES}/{p.item_id}.svg"} for p in catalogue))
    _draw(folder / IMAGES, catalogue)
    told = list(make_dialogues(catalogue, dialogues, seed)) if dialogues else []
    if told:
        _write(folder / "dialogues.jsonl", (dialogue.row for dialogue in told))
    _write(folder / "truth" / "dialogues.jsonl", ({"intent": dialogue.best} for dialogue in told))
    _write(
        folder / "truth" / "products.jsonl",
        ({"item_id": p.item_id, "true": p.true, "best": p.best} for p in catalogue),
    )
    with (folder / "truth" / "behaviours.jsonl").open("w", encoding="utf-8") as truth:

        def rows() -> Iterable[dict[str, Any]]:
            for session in Market(vocabulary, catalogue, seed).sessions(behaviours):
                hidden = {"need": session.need, "best": session.best, "wanted": session.wanted}
                truth.write(json.dumps(hidden, ensure_ascii=False) + "\n")
                yield session.row

        _write(folder / "behaviours.jsonl", rows())


def _draw(folder: Path, products: Iterable[Product]) -> None:
    folder.mkdir()
    for product in products:
        drawn = picture(product.category.path, product.true["colour"], product.true["material"])
        (folder / f"{product.item_id}.svg").write_text(drawn, encoding="utf-8")


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
