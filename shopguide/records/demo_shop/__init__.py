"""The generated bilingual demo shop: the files a user would bring, from a seed, with a known ceiling."""

import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from shopguide.records.demo_shop.catalogue import make_products
from shopguide.records.demo_shop.shoppers import Market
from shopguide.records.demo_shop.truth import Truth
from shopguide.records.demo_shop.words import Vocabulary

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
    note = folder / "shop.json"
    if note.is_file() and json.loads(note.read_text()) == made_with:
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        (draft / "truth").mkdir()
        vocabulary = Vocabulary(seed)
        catalogue = list(make_products(vocabulary, products, seed))
        _write(draft / "products.jsonl", (p.row for p in catalogue))
        _write(
            draft / "truth" / "products.jsonl",
            ({"item_id": p.item_id, "true": p.true, "best": p.best} for p in catalogue),
        )
        with (draft / "truth" / "behaviours.jsonl").open("w", encoding="utf-8") as truth:

            def rows() -> Iterable[dict[str, Any]]:
                for session in Market(vocabulary, catalogue, seed).sessions(behaviours):
                    hidden = {"need": session.need, "best": session.best, "wanted": session.wanted}
                    truth.write(json.dumps(hidden, ensure_ascii=False) + "\n")
                    yield session.row

            _write(draft / "behaviours.jsonl", rows())
        (draft / "shop.json").write_text(json.dumps(made_with))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
