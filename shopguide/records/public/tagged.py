"""What the readers of tagged text share: a token and its tag a line, an empty line between texts.

Tags are read as seqeval and conlleval read them, in any of the schemes IOB, IOBES and BIEOS: a span begins at B- or S-,
after O, after E- or S-, and where the label changes; so wrong sequences (I- without B-) have spans too.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow, bad_row
from shopguide.records.formats import open_members

Token = tuple[str, str]
"""Its text and its tag."""


def annotations(path: Path, separator: str, between: str, split: str) -> Iterator[RawRow]:
    """One row a text: `text`, `spans`, `split`.

    Args:
        path: of the file.
        separator: between a token and its tag.
        between: put between the tokens of a text: a blank between words, nothing between characters.
        split: of all its texts.
    """
    for file, name in open_members(path):
        tokens: list[Token] = []
        begun = 1
        for number, raw in enumerate(file, 1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                yield bad_row(name, number, "text in UTF-8", "other bytes")
                continue
            token, found, tag = line.rpartition(separator)
            if found and tag:
                begun = begun if tokens else number
                tokens.append((token, tag))
            elif line.strip() and not line.startswith("# "):
                yield bad_row(name, number, f"token, {separator!r}, tag", line[:40])
            elif tokens:
                yield RawRow(name, begun, _row(tokens, between, split))
                tokens = []
        if tokens:
            yield RawRow(name, begun, _row(tokens, between, split))


def _row(tokens: Sequence[Token], between: str, split: str) -> dict[str, Any]:
    starts, place = [], 0
    for token, _ in tokens:
        starts.append(place)
        place += len(token) + len(between)
    spans = [
        {"start": starts[first], "end": starts[last] + len(tokens[last][0]), "label": label}
        for first, last, label in chunks([tag for _, tag in tokens])
    ]
    return {"text": between.join(token for token, _ in tokens), "spans": spans, "split": split}


def chunks(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """First and last token, and label, of each span."""
    found: list[tuple[int, int, str]] = []
    open_at, before, label_before = 0, "O", ""
    for i, tag in enumerate([*tags, "O"]):
        mark, _, label = tag.partition("-")
        changes = before != "O" and (mark in "BSO" or before in "ES" or label != label_before)
        if changes:
            found.append((open_at, i - 1, label_before))
        if mark != "O" and (before == "O" or changes):
            open_at = i
        before, label_before = mark, label
    return found
