"""From a data setting to what every phase needs: the shop's checked tables, their split, its hidden truth if known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from shopguide.config import DataConfig, ModelConfig
from shopguide.errors import DataError
from shopguide.records.partition import Partition, partition
from shopguide.records.splits import Fold
from shopguide.records.tables import Shop, load_shop
from shopguide.tasks.task import Truth

FIELDS = ("title", "category", "attributes", "description")
"""Of a product's card, where nothing else is said."""


@dataclass(frozen=True)
class Material:
    """A shop ready to learn from."""

    shop: Shop
    parts: Partition
    truth: Truth | None
    data: DataConfig

    @property
    def cache_dir(self) -> Path:
        """Where checked tables and tokenised text are kept."""
        return Path(self.data.cache_dir).expanduser()


def load_material(data: DataConfig) -> Material:
    """Read, check and split a shop's records.

    Raises:
        DataError: bad rows (with `on_bad_rows: stop`), missing files, or no rows at all.
    """
    truth: Truth | None = None
    cache = Path(data.cache_dir).expanduser()
    if data.reader == "demo":
        data, truth = _demo(data, cache)
    if data.root is None:
        raise DataError(f"data.root: data={data.name} reads files; say where they are with data.root=…")
    shop = load_shop(
        data.reader,
        Path(data.root).expanduser(),
        cache_dir=cache,
        on_bad_rows=data.on_bad_rows,
        options=data.options,
    )
    split = data.split
    fold = None if split.fold is None or split.folds is None else Fold(split.fold, split.folds)
    parts = partition(shop, split.by, split.fractions, split.seed, fold)
    return Material(shop, parts, truth, data)


def _demo(data: DataConfig, cache: Path) -> tuple[DataConfig, Truth]:
    """Generate the demo shop (once), then read it as any shop's files are read."""
    from shopguide.records.demo_shop import Truth as DemoTruth
    from shopguide.records.demo_shop import generate

    known = {"products", "behaviours", "dialogues", "seed"}
    if set(data.options) - known:
        raise DataError(f"data.options of the demo shop: expected {sorted(known)}, found {sorted(data.options)}")
    name = "-".join(f"{key}{data.options[key]}" for key in sorted(data.options)) or "default"
    folder = cache / "demo_shop" / name
    generate(folder, **data.options)
    return replace(data, reader="files", root=str(folder), options={}), DemoTruth.load(folder)


def load_or_train_tokenizer(model: ModelConfig, material: Material, fields: Sequence[str] = FIELDS) -> Any:
    """The tokenizer that belongs to the weights, or one trained on the shop's training text.

    Raises:
        DataError: there is no such text.
    """
    from shopguide.text.documents import pretraining_documents
    from shopguide.text.tokenizer import load_tokenizer, train_tokenizer

    source = model.tokenizer or model.path
    if source is not None:
        return load_tokenizer(str(Path(source).expanduser()) if Path(source).expanduser().exists() else source)
    kinds = ["products", "queries", "dialogues", "pairs", "annotations"]
    documents = pretraining_documents(material.shop, material.parts, kinds, fields)
    texts = (" ".join(document) for document in documents)
    first = next(texts, None)
    if first is None:
        raise DataError(
            f"model={model.name}: expected training text of the shop to make its vocabulary of ({', '.join(kinds)}), "
            "found none"
        )
    return train_tokenizer(chain([first], texts), model.vocab_size, str(model.config["model_type"]))
