"""A shop as five checked, memory-mapped Arrow tables, cached under a hash of the files they were read from."""

import hashlib
import importlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from shopguide.errors import DataError
from shopguide.records.check import Checker
from shopguide.records.faults import Fault, FaultLog, RawRow
from shopguide.records.once import make_once
from shopguide.records.schema import TABLES, VERSION, arrow_schema

ROWS_A_BATCH = 2000
QUARANTINE = "quarantine.jsonl"


@dataclass
class LoadReport:
    """What was read, and what was not taken in."""

    rows: dict[str, int] = field(default_factory=dict)
    quarantined: int = 0
    quarantine: str | None = None
    """Side file with the bad rows, if there are any."""
    ignored: dict[str, int] = field(default_factory=dict)
    """`table.field` → rows with a field that no table stores."""
    cached: bool = False


@dataclass(frozen=True)
class Shop:
    """A shop's records; a table that the shop does not have is empty."""

    products: Any
    behaviours: Any
    judgements: Any
    dialogues: Any
    pairs: Any
    annotations: Any
    fingerprint: str
    """Hash of the records' files and of how they were read (16 hex digits)."""
    report: LoadReport


def attributes_of(row: Mapping[str, Any]) -> dict[str, str]:
    """A product's attributes by name; several values of one are joined by a comma."""
    named: dict[str, str] = {}
    for name, value in ((pair["name"], pair["value"]) for pair in row["attributes"]):
        named[name] = f"{named[name]}, {value}" if name in named else value
    return named


def column(table: Any, name: str) -> list[Any]:
    """A whole column as a list, in which equal texts are one object, however many rows have them."""
    if not len(table):
        return []
    data = table.data.column(name)
    if not (pa.types.is_string(data.type) or pa.types.is_large_string(data.type)):
        values: list[Any] = data.to_pylist()
        return values
    coded = data.dictionary_encode().combine_chunks()
    texts = [*coded.dictionary.to_pylist(), None]
    return [texts[code] for code in coded.indices.fill_null(-1).to_numpy()]


def rows_of(table: Any) -> Iterator[dict[str, Any]]:
    """The rows in order, several times as fast as a table gives them one by one."""
    assert table._indices is None, "rows that were chosen or sorted: flatten_indices() first"
    for batch in table.data.to_batches(max_chunksize=ROWS_A_BATCH):
        yield from batch.to_pylist()


def load_shop(
    reader: str,
    root: str | Path,
    *,
    cache_dir: Path,
    on_bad_rows: str = "stop",
    options: Mapping[str, Any] | None = None,
) -> Shop:
    """Read and check a shop's records, or find them checked.

    Args:
        reader: `files`, the name of a public set, or the dotted module of a reader: it has `read(root, **options)`
            (table → iterator of `RawRow`) and `sources(root, **options)` (the files that decide the rows).
        root: folder or file with the records.
        cache_dir: where the checked tables are kept.
        on_bad_rows: `stop` with one report of all bad rows, or `quarantine` them into a side file and go on.
        options: passed to the reader.

    Raises:
        DataError: bad rows, missing or empty files, or no good row at all.
    """
    module, root = _reader(reader), Path(root)
    if not root.exists():
        raise DataError(f"data.root={root}: expected an existing file or folder, found nothing there")
    options = dict(options or {})
    facts = [reader, VERSION, on_bad_rows, sorted(options.items()), _hashes(module.sources(root, **options))]
    fingerprint = hashlib.sha256(json.dumps(facts, default=str).encode()).hexdigest()[:16]
    folder = cache_dir / "tables" / fingerprint
    kept = folder / "report.json"
    made = make_once(folder, kept.is_file, lambda draft: _build(module.read(root, **options), draft, on_bad_rows))
    report = LoadReport(**json.loads(kept.read_text(encoding="utf-8")))
    report.quarantine = str(folder / QUARANTINE) if report.quarantined else None
    report.cached = not made
    tables = {name: _open(folder / f"{name}.arrow") for name in TABLES}
    return Shop(**tables, fingerprint=fingerprint, report=report)


def _reader(name: str) -> Any:
    known = {"files": "shopguide.records.files"}
    path = known.get(name) or (name if "." in name else f"shopguide.records.public.{name}")
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        raise DataError(f"data.reader={name}: no such reader ({error})") from error


def _hashes(files: list[Path]) -> list[tuple[str, str]]:
    return [(path.name, _hash(path)) for path in files]


def _hash(path: Path) -> str:
    if not path.is_file():
        return "missing"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]


def _open(path: Path) -> Any:
    from datasets import Dataset

    return Dataset.from_file(str(path))


def _build(tables: Mapping[str, Iterator[RawRow]], folder: Path, on_bad_rows: str) -> None:
    """Write the checked tables and a report of them into a folder."""
    log = FaultLog(folder / QUARANTINE if on_bad_rows == "quarantine" else None)
    checker = Checker()
    rows = {}
    for name in TABLES:
        good = _good_rows(name, tables.get(name, iter(())), checker, log)
        rows[name] = _write(good, arrow_schema(name), folder / f"{name}.arrow")
    log.stop_if_bad()
    if not any(rows.values()):
        raise DataError(f"expected records, found no good row ({log.count:,} bad ones)")
    report = LoadReport(rows, log.count, ignored=dict(checker.ignored))
    (folder / "report.json").write_text(json.dumps(asdict(report), ensure_ascii=False), encoding="utf-8")


def _good_rows(table: str, raw: Iterator[RawRow], checker: Checker, log: FaultLog) -> Iterator[dict[str, Any]]:
    for row in raw:
        found = checker.check(table, row)
        if isinstance(found, Fault):
            log.add(found, row.values)
        else:
            yield found


def _write(rows: Iterator[dict[str, Any]], schema: pa.Schema, path: Path) -> int:
    count = 0
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        while chunk := list(islice(rows, ROWS_A_BATCH)):
            writer.write_batch(pa.RecordBatch.from_pylist(chunk, schema))
            count += len(chunk)
        if not count:
            writer.write_batch(pa.RecordBatch.from_pylist([], schema))
    return count
