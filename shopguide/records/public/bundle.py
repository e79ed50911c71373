"""Sessions of Amazon's shoppers and the bundles in them, with what each is for (Sun et al. 2022, SIGIR).

Files (or .gz): `item_titles.csv`, `item_categories.csv`, `session_item.csv`, `user_session.csv`, `bundle_item.csv`,
`bundle_intent.csv`. A session is a behaviour without a query: its products in their order. A bundle's intent, in words,
is a query, for which the products of the bundle are judged to fit (label 1). The option `find=intents` asks the other
way round: the titles of a bundle's products are the query, the intents what is found.
"""

import html
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopguide.errors import DataError
from shopguide.records.faults import RawRow
from shopguide.records.formats import read_file
from shopguide.records.public.published import existing

FILES = tuple(
    f"{name}.csv*"
    for name in ("item_titles", "item_categories", "session_item", "user_session", "bundle_item", "bundle_intent")
)
FIND = ("products", "intents")
BETWEEN = re.compile(r",(?! )")
"""A comma between the names of a path; within a name a blank follows it."""


def sources(root: Path, find: str = FIND[0]) -> list[Path]:
    """The six published files.

    Raises:
        DataError: `find` is none of its choices, or a file is not there.
    """
    if find not in FIND:
        raise DataError(f"data.options.find={find}: expected one of {', '.join(FIND)}")
    return [existing(root, pattern)[0] for pattern in FILES]


def read(root: Path, find: str = FIND[0]) -> dict[str, Iterator[RawRow]]:
    """Products, behaviours and judgements; or intents, in their place, and judgements."""
    titles, categories, session_item, user_session, bundle_item, bundle_intent = sources(root, find)
    if find == "intents":
        known = _products(titles, categories, (bundle_item,))
        return {"products": _as_products(bundle_intent), "judgements": _of_bundles(known, bundle_item, bundle_intent)}
    return {
        "products": _products(titles, categories, (session_item, bundle_item)),
        "behaviours": _sessions(session_item, user_session),
        "judgements": _intents(bundle_item, bundle_intent),
    }


def _rows(path: Path) -> Iterator[tuple[RawRow, dict[str, Any]]]:
    for row in read_file(path):
        yield row, row.values or {}


def _products(titles: Path, categories: Path, naming: tuple[Path, ...]) -> Iterator[RawRow]:
    """A product without a title is called by the last name of its category; one of which nothing is said, by its id.

    `naming`: files that name products.
    """
    paths = {values.get("item ID"): (row, _path(values.get("categories") or "")) for row, values in _rows(categories)}
    for row, values in _rows(titles):
        item = values.get("item ID")
        _, category = paths.pop(item, (row, ""))
        title = html.unescape(values.get("titles") or "") or category.rpartition("/")[2] or item
        yield row if row.values is None else _made(row, item_id=item, title=title, category=category)
    for item, (row, category) in paths.items():
        title = category.rpartition("/")[2] or item
        yield row if row.values is None else _made(row, item_id=item, title=title, category=category)
    said = {values.get("item ID") for path in (titles, categories) for _, values in _rows(path)}
    for path in naming:
        for row, values in _rows(path):
            if (item := values.get("item ID")) is not None and item not in said:
                said.add(item)
                yield _made(row, item_id=item, title=item)


def _path(cell: str) -> str:
    """The first of the paths `[[a,b],[c,d]]`, as `a/b`."""
    first = cell.strip("[]").partition("],[")[0]
    return "/".join(name.replace("/", " ").strip() for name in BETWEEN.split(html.unescape(first)))


def _sessions(session_item: Path, user_session: Path) -> Iterator[RawRow]:
    items: dict[str | None, list[Any]] = defaultdict(list)
    for row, values in _rows(session_item):
        if row.values is None:
            yield row
        items[values.get("session ID")].append(values.get("item ID"))
    for row, values in _rows(user_session):
        seen = items.get(values.get("session ID"), [])
        if row.values is None or seen:
            made = _made(row, user_id=values.get("user ID"), viewed_items=seen, timestamp=values.get("timestamp"))
            yield row if row.values is None else made


def _intents(bundle_item: Path, bundle_intent: Path) -> Iterator[RawRow]:
    said = {values.get("bundle ID"): values.get("intent") for row, values in _rows(bundle_intent)}
    yield from (row for row, _ in _rows(bundle_intent) if row.values is None)
    for row, values in _rows(bundle_item):
        intent = said.get(values.get("bundle ID"))
        if row.values is None:
            yield row
        elif intent:
            yield _made(row, query=_words(intent), item_id=values.get("item ID"), label=1)


def _as_products(bundle_intent: Path) -> Iterator[RawRow]:
    """Each intent once, whichever way its letters are cased."""
    said: set[str] = set()
    for row, values in _rows(bundle_intent):
        intent = _words(values.get("intent"))
        if row.values is None:
            yield row
        elif intent and intent.casefold() not in said:
            said.add(intent.casefold())
            yield _made(row, item_id=intent.casefold(), title=intent)


def _of_bundles(products: Iterator[RawRow], bundle_item: Path, bundle_intent: Path) -> Iterator[RawRow]:
    titles = {row.values["item_id"]: row.values["title"] for row in products if row.values is not None}
    named: dict[str | None, list[str]] = defaultdict(list)
    for row, values in _rows(bundle_item):
        if row.values is None:
            yield row
        else:
            named[values.get("bundle ID")].append(titles[values["item ID"]])
    for row, values in _rows(bundle_intent):
        bundle, intent = values.get("bundle ID"), _words(values.get("intent")).casefold()
        if intent and named[bundle]:
            yield _made(row, query=", ".join(named[bundle]), item_id=intent, label=1)


def _words(cell: str | None) -> str:
    return " ".join(html.unescape(cell or "").split())


def _made(row: RawRow, **values: Any) -> RawRow:
    return RawRow(row.file, row.line, values)
