"""Files → raw rows with their line numbers: JSON Lines, JSON, CSV, TSV, Parquet, plain, gzipped or zipped.

A row that cannot be read becomes a fault of its own; the rows after it are still read.
"""

import csv
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from shopguide.records.faults import RawRow, bad_row
from shopguide.records.schema import MAX_ROW_BYTES

LIST_FIELDS = ("viewed_items", "purchased_items", "reviews")
ARCHIVE_ERRORS = (zipfile.BadZipFile, gzip.BadGzipFile, EOFError, zlib.error, OSError, pa.ArrowInvalid)
TOO_LONG = f"a row of at most {MAX_ROW_BYTES >> 20} MiB"

UTF8 = "text in UTF-8 (from GBK: iconv -f GB18030 -t UTF-8)"


def read_file(path: Path) -> Iterator[RawRow]:
    """The rows of one file, by its ending. Faults of the whole file have line 0."""
    if not path.is_file():
        yield bad_row(str(path), 0, "a file", "none there")
        return
    if path.stat().st_size == 0:
        yield bad_row(str(path), 0, "rows", "an empty file")
        return
    rows = 0
    try:
        for opened, name in open_members(path):
            kind = Path(name.removesuffix(".gz")).suffix.lower()
            for row in READERS[kind](opened, name if name == str(path) else f"{path}!{name}"):
                rows += 1
                yield row
    except ARCHIVE_ERRORS as error:
        yield bad_row(str(path), 0, "a readable file", f"{type(error).__name__}: {error}")
        return
    if not rows:
        yield bad_row(str(path), 0, "rows", "none")


def open_members(path: Path) -> Iterator[tuple[IO[bytes], str]]:
    """The binary files in a path: itself, unpacked; of a zip, each member that has a known ending."""
    if path.suffix.lower() == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if Path(name).suffix.lower() in READERS and not name.startswith("__MACOSX"):
                    with archive.open(name) as member:
                        yield member, name
    else:
        with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as file:
            yield file, str(path)  # type: ignore[misc]


def _lines(file: IO[bytes], name: str) -> Iterator[tuple[int, bytes | RawRow]]:
    """Numbered lines without their ends; a line that is too long is passed over, at bounded memory."""
    number = 0
    while raw := file.readline(MAX_ROW_BYTES + 1):
        number += 1
        if len(raw) > MAX_ROW_BYTES:
            size = len(raw)
            while not raw.endswith(b"\n") and (raw := file.readline(MAX_ROW_BYTES)):
                size += len(raw)
            yield number, bad_row(name, number, TOO_LONG, f"{size:,} bytes")
            continue
        yield number, (raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw).rstrip(b"\r\n")


def read_json_lines(file: IO[bytes], name: str) -> Iterator[RawRow]:
    """One JSON object a line; blank lines are passed over. A file that begins with `[` is one JSON array."""
    for number, line in _lines(file, name):
        if isinstance(line, RawRow):
            yield line
        elif number == 1 and line.lstrip().startswith(b"["):
            yield from _json_array(line + b"\n" + file.read(), name)
            return
        elif line.strip():
            yield _json_row(line, name, number)


def _json_row(line: bytes, name: str, number: int) -> RawRow:
    if b"\x00" in line:
        return bad_row(name, number, "text without NUL bytes", f"one at byte {line.index(0) + 1}")
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return bad_row(name, number, UTF8, f"byte 0x{line[error.start]:02x} at {error.start + 1}")
    except (json.JSONDecodeError, RecursionError) as error:
        start = line[:40].decode("utf-8", "replace")
        reason = getattr(error, "msg", "nested too deeply")
        return bad_row(name, number, "a JSON object", f"broken JSON ({reason}): {start}…")
    if not isinstance(value, dict):
        return bad_row(name, number, "a JSON object", f"a {type(value).__name__}")
    return RawRow(name, number, value)


def _json_array(text: bytes, name: str) -> Iterator[RawRow]:
    try:
        rows = json.loads(text.decode("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        yield bad_row(name, 0, "a JSON array", f"broken JSON ({error})")
        return
    for number, value in enumerate(rows, 1):
        if isinstance(value, dict):
            yield RawRow(name, number, value)
        else:
            yield bad_row(name, number, "a JSON object", f"a {type(value).__name__}")


def read_csv(file: IO[bytes], name: str, **dialect: Any) -> Iterator[RawRow]:
    """Rows under a header.

    Lists: JSON or `a|b|c`; attributes: a JSON object, or columns `attributes.<name>`; spans: JSON.

    Args:
        file: binary.
        name: in messages.
        dialect: of Python's csv module, where it is not the usual one.
    """
    csv.field_size_limit(MAX_ROW_BYTES)
    decoded = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.reader(decoded, **dialect)
    try:
        header = [column.strip() for column in next(rows, [])]
        while True:
            number = rows.line_num + 1
            try:
                cells = next(rows, None)
            except csv.Error as error:
                yield bad_row(name, number, "a row of CSV", str(error))
                continue
            if cells is None:
                return
            if cells:
                yield _csv_row(header, cells, name, number)
    finally:
        decoded.detach()


def _csv_row(header: list[str], cells: list[str], name: str, number: int) -> RawRow:
    if len(cells) != len(header):
        return bad_row(name, number, f"{len(header)} cells, as in the header", f"{len(cells)}")
    for column, cell in zip(header, cells, strict=True):
        if any("\udc80" <= char <= "\udcff" for char in cell):
            return bad_row(name, number, UTF8, "other bytes", column)
    values: dict[str, Any] = {}
    for column, cell in zip(header, cells, strict=True):
        if not cell.strip():
            continue
        try:
            if column.startswith("attributes."):
                values.setdefault("attributes", {})[column.removeprefix("attributes.")] = cell
            elif column == "attributes":
                values.setdefault("attributes", {}).update(json.loads(cell))
            elif column == "spans":
                values[column] = json.loads(cell)
            elif column in LIST_FIELDS:
                values[column] = listed(cell)
            else:
                values[column] = cell
        except (json.JSONDecodeError, ValueError, TypeError):
            return bad_row(name, number, "JSON", cell[:40], column)
    return RawRow(name, number, values)


def listed(value: Any) -> list[Any]:
    """A list, or a cell that holds one: JSON, or `a|b|c`.

    Raises:
        json.JSONDecodeError: it begins as JSON, and is none.
    """
    if not isinstance(value, str):
        return list(value)
    found: list[Any] = json.loads(value) if value.lstrip().startswith("[") else value.split("|")
    return found


def read_tsv(file: IO[bytes], name: str) -> Iterator[RawRow]:
    """As CSV, with tabs."""
    return read_csv(file, name, delimiter="\t")


def read_parquet(file: IO[bytes], name: str) -> Iterator[RawRow]:
    """Rows by number; times become Unix seconds."""
    source = file if file.seekable() else io.BytesIO(file.read())
    number = 0
    for batch in pq.ParquetFile(source).iter_batches(2048):
        for values in batch.to_pylist():
            number += 1
            yield RawRow(name, number, {key: _plain(key, value) for key, value in values.items()})


def _plain(key: str, value: Any) -> Any:
    if key == "attributes" and isinstance(value, list):
        named: dict[str, list[Any]] = {}
        for pair in value:
            attribute, found = pair if isinstance(pair, tuple) else (pair["name"], pair["value"])
            named.setdefault(attribute, []).append(found)
        return named
    return value.timestamp() if hasattr(value, "timestamp") else value


READERS: dict[str, Callable[[IO[bytes], str], Iterator[RawRow]]] = {
    ".jsonl": read_json_lines,
    ".ndjson": read_json_lines,
    ".json": read_json_lines,
    ".csv": read_csv,
    ".tsv": read_tsv,
    ".parquet": read_parquet,
}
"""File ending → reader."""
