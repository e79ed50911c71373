"""Bad rows: told all together, with file, line and field; or written aside and counted."""

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from shopguide.errors import DataError

LISTED = 20
KEPT_TEXT = 2000


@dataclass(frozen=True)
class Fault:
    """What is wrong with one row, or with a whole file (line 0)."""

    file: str
    line: int
    field: str
    expected: str
    found: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}  {self.field or '(row)'}  expected {self.expected}, found {self.found}"


@dataclass(frozen=True)
class RawRow:
    """A row as a reader found it: its values, or why there are none."""

    file: str
    line: int
    values: dict[str, Any] | None
    fault: Fault | None = None


def bad_row(file: str, line: int, expected: str, found: str, field: str = "") -> RawRow:
    """A row that cannot be read."""
    return RawRow(file, line, None, Fault(file, line, field, expected, found))


@dataclass
class FaultLog:
    """Gathers the faults of all files."""

    quarantine: Path | None
    """Side file for bad rows; None: any bad row stops the load."""
    count: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    first: list[Fault] = field(default_factory=list)
    files: list[Fault] = field(default_factory=list)
    """Faults of whole files: these always stop the load."""

    def add(self, fault: Fault, values: dict[str, Any] | None) -> None:
        """Note one fault; in quarantine, write its row aside."""
        if not fault.line:
            self.files.append(fault)
            return
        self.count += 1
        self.kinds[f"{fault.field or '(row)'}: expected {fault.expected}"] += 1
        if len(self.first) < LISTED:
            self.first.append(fault)
        if self.quarantine is not None:
            raw = json.dumps(values, ensure_ascii=True, default=str)[:KEPT_TEXT] if values is not None else None
            with self.quarantine.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(fault) | {"row": raw}, ensure_ascii=True) + "\n")

    def stop_if_bad(self) -> None:
        """Raise the one report.

        Raises:
            DataError: there are faults that may not pass.
        """
        if self.files:
            raise DataError("the records cannot be read:\n" + "\n".join(f"  {fault}" for fault in self.files))
        if self.count and self.quarantine is None:
            lines = [f"  {fault}" for fault in self.first]
            more = [f"  … and {self.count - len(self.first):,} more"] if self.count > len(self.first) else []
            kinds = [f"  {count:,} × {kind}" for kind, count in self.kinds.most_common()]
            raise DataError(
                "\n".join([f"{self.count:,} bad row{'s' * (self.count > 1)}:", *lines, *more, "by kind:", *kinds])
                + "\nMend the files, or go on without these rows: data.on_bad_rows=quarantine"
            )
