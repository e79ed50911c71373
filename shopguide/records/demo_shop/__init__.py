"""The generated bilingual demo shop: the files a user would bring, from a seed, with a known ceiling."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shopguide.records.demo_shop.catalogue import make_products
from shopguide.records.demo_shop.shoppers import Market
from shopguide.records.demo_shop.truth import Truth
from shopguide.records.demo_shop.words import Vocabulary
from shopguide.records.once import make_once

__all__ = ["Truth", "generate"]

VERSION = 2


def generate(folder: Path, *, products: int = 2000, behaviours: int = 6000, seed: int = 0) -> None:
    """Write `products.jsonl`, `behaviours.jsonl` and the hidden truth under `truth/`; complete or not at all.

    Behaviours are streamed: memory holds the catalogue and the shoppers of a few weeks. A folder that was made with the
    same arguments is left as it is.

    Raises:
        ValueError: a size below 1.
    """
    if products < 1 or behaviours < 1:
        raise ValueError(f"expected at least one product and one behaviour, found {products} and {behaviours}")
    made_with = {"products": products, "behaviours": behaviours, "seed": seed, "version": VERSION}

    def there() -> bool:
        note = folder / "shop.json"
        return note.is_file() and bool(json.loads(note.read_text()) == made_with)

    def make(draft: Path) -> None:
        _make(draft, products, behaviours, seed)
        (draft / "shop.json").write_text(json.dumps(made_with))

    make_once(folder, there, make)


def _make(folder: Path, products: int, behaviours: int, seed: int) -> None:
    (folder / "truth").mkdir()
    vocabulary = Vocabulary(seed)
    catalogue = list(make_products(vocabulary, products, seed))
    _write(folder / "products.jsonl", (p.row for p in catalogue))
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


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
