"""Answer a file of records, streaming: JSON Lines, CSV, TSV or Parquet in; JSON Lines, CSV or Parquet out."""

import csv
import gzip
import io
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice, tee
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, TextIO

import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from shopguide.errors import DataError
from shopguide.records.formats import UTF8, read_json_lines

if TYPE_CHECKING:
    from shopguide.inference.answers import Answerer

Record = dict[str, Any]
ROWS_A_GROUP = 4096
OUTPUTS = (".jsonl", ".csv", ".parquet")
INPUTS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")


def answer_file(predictor: "Answerer", source: str, target: str | None, batch_tokens: int) -> int:
    """Write each record with its answer (`label`, `posterior`); return how many.

    Args:
        predictor: the task model.
        source: file of records; `.gz` may follow its ending.
        target: file to write, complete or not at all; None: JSON lines on standard output.
        batch_tokens: tokens the model sees at once.

    Raises:
        DataError: a file's format is not known, it has no record, or one cannot be read or answered.
    """
    seen, asked = tee(_some(read_records(Path(source).expanduser()), source))
    answers = predictor.predict(asked, batch_tokens=batch_tokens)
    rows = ({**record, **answer} for record, answer in zip(seen, answers, strict=True))
    shown = tqdm(rows, desc=f"{predictor.card.task}", unit=" records", file=sys.stderr, disable=not sys.stderr.isatty())
    count = _write_lines(shown, sys.stdout) if target is None else write_records(shown, Path(target).expanduser())
    print(
        f"{count:,} record{'s' if count != 1 else ''} answered" + (f" in {target}" if target else ""), file=sys.stderr
    )
    return count


def _some(records: Iterator[Record], source: str) -> Iterator[Record]:
    first = next(records, None)
    if first is None:
        raise DataError(f"input={source}: expected records, found none")
    yield first
    yield from records


def check_input(path: Path) -> str:
    """The kind of a file of records.

    Raises:
        DataError: its ending is not known.
    """
    kind = Path(path.name.removesuffix(".gz")).suffix.lower()
    if kind not in INPUTS:
        raise DataError(f"input={path}: expected a file ending in {', '.join(INPUTS)} (or those and .gz)")
    return kind


def read_records(path: Path) -> Iterator[Record]:
    """The records of a file, one at a time.

    Raises:
        DataError: its ending is not known, or a line cannot be read.
    """
    kind = check_input(path)
    if kind == ".parquet":
        for batch in pq.ParquetFile(path).iter_batches(ROWS_A_GROUP):
            yield from batch.to_pylist()
        return
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
        yield from (_table if kind in (".csv", ".tsv") else _json_lines)(file, str(path))  # type: ignore[arg-type]


def _table(file: IO[bytes], name: str) -> Iterator[Record]:
    """Every column of every row, empty cells too."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    try:
        yield from csv.DictReader(text, delimiter="\t" if ".tsv" in name else ",")
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: expected {UTF8}, found byte 0x{error.object[error.start]:02x}") from error


def _json_lines(file: IO[bytes], name: str) -> Iterator[Record]:
    for row in read_json_lines(file, name):
        if row.values is None:
            raise DataError(str(row.fault))
        yield row.values


def check_output(path: Path) -> None:
    """Tell before any work of a file that cannot be written.

    Raises:
        DataError: its ending is not known, it is a folder, or nothing can be written where it should be.
    """
    if path.suffix.lower() not in OUTPUTS:
        raise DataError(f"output={path}: expected a file ending in {', '.join(OUTPUTS)}")
    if path.is_dir():
        raise DataError(f"output={path}: expected a file, found a folder")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise DataError(f"output={path}: nothing can be written there ({error.strerror})") from error


def write_records(rows: Iterator[Record], path: Path) -> int:
    """Write rows to a file that appears only when it is complete; return how many.

    Raises:
        DataError: as `check_output`.
    """
    check_output(path)
    draft = path.with_name(path.name + ".draft")
    writers = {".jsonl": _write_jsonl, ".csv": _write_csv, ".parquet": _write_parquet}
    try:
        count = writers[path.suffix.lower()](rows, draft)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    return count


def _write_jsonl(rows: Iterator[Record], path: Path) -> int:
    with path.open("w", encoding="utf-8") as file:
        return _write_lines(rows, file)


def _write_lines(rows: Iterator[Record], file: TextIO) -> int:
    count = 0
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
        count += 1
    return count


def _flat(row: Record) -> Record:
    """Nested values as JSON text: a cell holds one value."""
    return {k: json.dumps(v, ensure_ascii=False) if isinstance(v, dict | list) else v for k, v in row.items()}


def _columns(rows: Iterator[Record], path: Path) -> Iterator[Record]:
    """Flat rows for a file whose first row names the columns.

    Raises:
        DataError: a later row has a field that the first one lacks.
    """
    columns: set[str] = set()
    for number, row in enumerate(map(_flat, rows), 1):
        columns = columns or set(row)
        if more := sorted(set(row) - columns):
            raise DataError(
                f"record {number}: found `{more[0]}`, which is no column of {path.name.removesuffix('.draft')} (the "
                "first record names them); choose output=….jsonl, where each record keeps its own fields"
            )
        yield row


def _write_csv(rows: Iterator[Record], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer: csv.DictWriter[str] | None = None
        for row in _columns(rows, path):
            if writer is None:
                writer = csv.DictWriter(file, list(row), restval="")
                writer.writeheader()
            writer.writerow(row)
            count += 1
    return count


def _write_parquet(rows: Iterator[Record], path: Path) -> int:
    count, schema = 0, None
    flat = _columns(rows, path)
    with ExitStack() as stack:
        writer: pq.ParquetWriter | None = None
        while chunk := list(islice(flat, ROWS_A_GROUP)):
            table = pa.Table.from_pylist(chunk, schema)
            if writer is None:
                schema = table.schema
                writer = stack.enter_context(pq.ParquetWriter(path, schema))
            writer.write_table(table)
            count += len(chunk)
    return count
