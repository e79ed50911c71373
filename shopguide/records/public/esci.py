"""Shopping Queries (ESCI; Reddy et al. 2022): queries with products judged exact, substitute, complement, irrelevant.

Files: `shopping_queries_dataset_examples.parquet`, `shopping_queries_dataset_products.parquet`. Options: `version`
(`small`, of the ranking task, or `large`, of the two classification tasks) and `locale` (`us`, `es`, `jp`, or `all`).
Products are those that the chosen judgements name. The id of a product stands for it in one locale; of all locales,
it is `<locale>:<id>`. The published split stands: train and test.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopguide.errors import DataError
from shopguide.records.faults import RawRow, bad_row
from shopguide.records.formats import read_file
from shopguide.records.public.published import existing, present

EXAMPLES, PRODUCTS = (f"shopping_queries_dataset_{name}.parquet" for name in ("examples", "products"))
CHOICES = {"version": ("small", "large"), "locale": ("us", "es", "jp", "all")}
LABELS = ("E", "S", "C", "I")


def sources(root: Path, version: str = "small", locale: str = "us") -> list[Path]:
    """The two published files.

    Raises:
        DataError: an option is none of its choices, or a file is not there.
    """
    for name, value in (("version", version), ("locale", locale)):
        if value not in CHOICES[name]:
            raise DataError(f"data.options.{name}={value}: expected one of {', '.join(CHOICES[name])}")
    return existing(root, EXAMPLES, PRODUCTS)


def read(root: Path, version: str = "small", locale: str = "us") -> dict[str, Iterator[RawRow]]:
    """Products with brand and colour, and judgements E, S, C, I."""
    examples, products = sources(root, version, locale)
    return {
        "products": _products(products, {_item(row, locale) for row in _chosen(examples, version, locale)}, locale),
        "judgements": (_judgement(row, locale) for row in _chosen(examples, version, locale)),
    }


def _chosen(path: Path, version: str, locale: str) -> Iterator[RawRow]:
    for row in read_file(path):
        values = row.values
        if values is None or (values.get(f"{version}_version") == 1 and _is_of(values, locale)):
            yield row


def _is_of(values: dict[str, Any], locale: str) -> bool:
    return locale in ("all", values.get("product_locale"))


def _item(row: RawRow, locale: str) -> str:
    values = row.values or {}
    own = str(values.get("product_id"))
    return f"{values.get('product_locale')}:{own}" if locale == "all" else own


def _products(path: Path, judged: set[str], locale: str) -> Iterator[RawRow]:
    for row in read_file(path):
        if row.values is None:
            yield row
        elif _is_of(row.values, locale) and (item := _item(row, locale)) in judged:
            yield RawRow(row.file, row.line, _product(row.values, item))


def _product(values: dict[str, Any], item: str) -> dict[str, Any]:
    """A product without a title is called by the first line that is said of it."""
    title, brand = values.get("product_title"), values.get("product_brand")
    described = [text for name in ("bullet_point", "description") if (text := values.get(f"product_{name}"))]
    said = next(filter(None, (text.strip() for text in (title, *described, brand) if text)), "")
    return {
        "item_id": item,
        "title": said.splitlines()[0] if said else None,
        "description": "\n".join(described),
        "attributes": present({"brand": brand, "color": values.get("product_color")}),
    }


def _judgement(row: RawRow, locale: str) -> RawRow:
    values = row.values
    if values is None:
        return row
    label = values.get("esci_label")
    if label not in LABELS:
        return bad_row(row.file, row.line, " or ".join(LABELS), repr(label), "esci_label")
    judged = {"query": values.get("query"), "item_id": _item(row, locale), "label": label}
    return RawRow(row.file, row.line, {**judged, "split": values.get("split")})
