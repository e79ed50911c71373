"""The catalogue of a shop as vectors on disk: made block by block, so that what was cut off goes on, and read mapped.

A folder holds the vectors, the products as they are read, and what it was made of. While it is made it is called
`<name>.draft`; the finished one takes its place at once.
"""

import contextlib
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout
from tqdm import tqdm

from shopguide.errors import ModelError
from shopguide.inference.cells import Cells, faiss_module, forget
from shopguide.inference.encoder import Encoder
from shopguide.inference.folders import check_free, former, take_place
from shopguide.inference.saved_model import WEIGHTS
from shopguide.inference.vectors import VECTORS, Vectors, shortened, write_products
from shopguide.tasks.task import Catalogue

ABOUT, PROGRESS = "index.json", "progress.json"
BLOCK = 8192
"""Products between two points from which it can go on."""
ASKED = 256
"""Queries by which the cells that are looked through are counted."""


def build_index(
    encoder: Encoder,
    model: Path,
    catalogue: Catalogue,
    output: Path,
    batch_tokens: int,
    dimensions: int | None = None,
    approximate: float | None = None,
) -> Vectors:
    """Make the index, or go on with one of the same model and products that was cut off.

    Args:
        encoder: makes the vectors.
        model: its folder.
        catalogue: M products.
        output: folder to be made; an index that is there is replaced when the new one is complete, and of one by the
            same model the vectors of products that are read as before are taken.
        batch_tokens: tokens that the model sees at once.
        dimensions: the first ones of a vector, which are kept; None: all.
        approximate: the share of the nearest products that a search is to find, to be faster; None: all of them.

    Raises:
        ModelError: `output` is there, and no index; another process is making it; the model has fewer dimensions; or
            faiss, which approximate search needs, is not installed.
    """
    width = dimensions or encoder.width
    if width > encoder.width:
        raise ModelError(f"dimensions={width}: expected at most {encoder.width}, the model's own")
    check_place(output)
    if approximate is not None:
        faiss_module()
    with _alone(output):
        return _built(encoder, model, catalogue, output, batch_tokens, width, approximate)


def _like_queries(catalogue: Catalogue) -> list[str]:
    """The beginnings of some products' texts."""
    drawn = np.random.default_rng(0).permutation(len(catalogue))[:ASKED]
    texts = (catalogue.texts[int(row)] for row in drawn)
    return [text[: max(len(text) // 4, 8)] for text in texts]


@contextlib.contextmanager
def _alone(output: Path) -> Iterator[None]:
    """One process makes an index at a time."""
    output.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(output.with_name(f".{output.name}.lock"))
    try:
        with lock.acquire(timeout=0):
            yield
    except Timeout as error:
        raise ModelError(f"output={output}: another process is making this index; wait for it, or stop it") from error


def _built(
    encoder: Encoder,
    model: Path,
    catalogue: Catalogue,
    output: Path,
    batch_tokens: int,
    width: int,
    approximate: float | None,
) -> Vectors:
    identity = {"task": encoder.card.task, "model": model_fingerprint(model), "catalogue": _of_catalogue(catalogue)}
    identity["width"] = str(width)
    draft = _draft(output)
    done, before = _done(draft, identity), _same_model(output, identity)
    kept = _kept(before, catalogue)
    if before is not None:
        print(
            f"index {output}: {int((kept >= 0).sum()):,} of {len(catalogue):,} products are as they were",
            file=sys.stderr,
        )
    matrix = _opened(draft / VECTORS, (len(catalogue), width), new=not done)
    if done:
        print(f"index {output}: goes on at product {done:,} of {len(catalogue):,}", file=sys.stderr)
    with tqdm(total=len(catalogue), initial=done, desc="index", unit=" products", file=sys.stderr) as shown:
        for start in range(done, len(catalogue), BLOCK):
            ids, texts = (list(part[start : start + BLOCK]) for part in (catalogue.ids, catalogue.texts))
            rows = kept[start : start + len(texts)]
            new = np.flatnonzero(rows < 0)
            if len(new):
                named = [ids[place] for place in new], [texts[place] for place in new]
                matrix[start + new] = shortened(encoder.products(*named, batch_tokens), width)
            if before is not None:
                matrix[start + np.flatnonzero(rows >= 0)] = before.matrix[rows[rows >= 0]]
            matrix.flush()
            _write(draft / PROGRESS, {**identity, "done": start + len(texts)})
            shown.update(len(texts))
    write_products(draft, catalogue)
    forget(draft)
    if approximate is not None:
        asked = shortened(encoder.vectors(_like_queries(catalogue), batch_tokens), width)
        Cells.of(matrix, asked, approximate).save(draft)
    _write(draft / ABOUT, {**identity, "products": len(catalogue), "width": width})
    (draft / PROGRESS).unlink(missing_ok=True)
    take_place(draft, output)
    return load_index(output, model)


def _same_model(output: Path, identity: dict[str, str]) -> Vectors | None:
    """The index that is there, if the same model made it; only what has changed since is made anew."""
    if not (output / ABOUT).is_file():
        return None
    about = json.loads((output / ABOUT).read_text(encoding="utf-8"))
    is_same = all(str(about.get(name)) == identity[name] for name in ("task", "model", "width"))
    return Vectors.load(output) if is_same else None


def _kept(before: Vectors | None, catalogue: Catalogue) -> np.ndarray:
    """(M,) of each product its row in the index that is there, where it is read as it was; else -1."""
    if before is None:
        return np.full(len(catalogue), -1, dtype=np.int64)
    texts = list(before.products.texts)
    rows = (before.place.get(item, -1) for item in catalogue.ids)
    pairs = zip(rows, catalogue.texts, strict=True)
    return np.array([row if row >= 0 and texts[row] == text else -1 for row, text in pairs], dtype=np.int64)


def check_place(output: Path) -> None:
    """Tell before any work of a place where no index can be made.

    Raises:
        ModelError: something else lies there, or nothing can be written there.
    """
    known = {output: (ABOUT,), _draft(output): (PROGRESS, ABOUT, VECTORS), former(output): (ABOUT,)}
    check_free(output, "an index", known)


def _draft(output: Path) -> Path:
    return output.with_name(f"{output.name}.draft")


def load_index(folder: Path, model: Path) -> Vectors:
    """Read an index, memory-mapped.

    Args:
        folder: that `build_index` made.
        model: folder of the model that is to search in it.

    Raises:
        ModelError: it is no index, or was made by another model.
    """
    if not (folder / ABOUT).is_file():
        raise ModelError(f"index={folder}: expected a folder that `python -m shopguide.index` made, found none there")
    about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    if about["model"] != model_fingerprint(model):
        raise ModelError(
            f"index={folder}: expected one made by the model that searches in it ({model_fingerprint(model)}), found "
            f"one of another ({about['model']}); make it again with this run"
        )
    found = Vectors.load(folder)
    assert found is not None
    return found


def _done(draft: Path, identity: dict[str, str]) -> int:
    """Products of an index of the same kind that are made; of another one, nothing is kept."""
    if (draft / PROGRESS).is_file():
        known = json.loads((draft / PROGRESS).read_text(encoding="utf-8"))
        if {name: known.get(name) for name in identity} == identity:
            return int(known["done"])
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    return 0


def _opened(path: Path, shape: tuple[int, int], new: bool) -> Any:
    return np.lib.format.open_memmap(path, "w+" if new else "r+", np.float32, shape if new else None)


def _write(path: Path, values: dict[str, Any]) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(values), encoding="utf-8")
    os.replace(draft, path)


def model_fingerprint(folder: Path) -> str:
    """Of the weights in a model's folder."""
    with (folder / WEIGHTS).open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:16]


def _of_catalogue(catalogue: Catalogue) -> str:
    found = hashlib.blake2b()
    for item, text in zip(catalogue.ids, catalogue.texts, strict=True):
        found.update(f"{item}\x1f{text}\x1e".encode("utf-8", "surrogatepass"))
    return found.hexdigest()[:16]
