"""hetPQA (Shen et al. 2022): questions on products, evidence of several sources that answers them (1) or not (0).

Files: `evidence_ranking_train.csv`, `evidence_ranking_dev.csv`, `evidence_ranking_test.csv` (or .gz), those that are
there, and `train.csv`, `dev.csv`, `test.csv` with a question, a piece of evidence and the answer made of it; all with
tabs between the cells. A judged piece of evidence is a product of its own: what is ranked for a question.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shopguide.records.faults import RawRow
from shopguide.records.formats import open_members, read_tsv
from shopguide.records.public.published import existing, present, whole
from shopguide.records.schema import SPLITS

RANKING = "evidence_ranking_{}.csv"


def sources(root: Path) -> list[Path]:
    """The published files that are there."""
    found = [*_files(root, RANKING).values(), *_files(root, "{}.csv").values()]
    return found or existing(root, RANKING.format("train") + "*")


def read(root: Path) -> dict[str, Iterator[RawRow]]:
    """Products that are pieces of evidence, judgements of them, and dialogues of questions and answers."""
    sources(root)
    judged, answered = _files(root, RANKING), _files(root, "{}.csv")
    return {
        "products": (_evidence(row) for _, row in _rows(judged)),
        "judgements": (_judgement(row, split) for split, row in _rows(judged)),
        "dialogues": (_dialogue(row, split) for split, row in _rows(answered)),
    }


def _files(root: Path, pattern: str) -> dict[str, Path]:
    found = {split: sorted(root.glob(f"{pattern.format(split)}*")) for split in SPLITS}
    return {split: paths[0] for split, paths in found.items() if paths}


def _rows(files: dict[str, Path]) -> Iterator[tuple[str | None, RawRow]]:
    for split, path in files.items():
        for file, name in open_members(path):
            for row in read_tsv(file, name):
                yield whole(files, split), row


def _evidence(row: RawRow) -> RawRow:
    return _made(row, lambda v: {"item_id": _item(v), "title": v.get("candidate"), **_source(v)})


def _item(values: dict[str, Any]) -> str:
    """An id of its own for each question: the published one stands for several pieces here and there."""
    return f"{values.get('qid')}-{values.get('qa_pair_id')}"


def _source(values: dict[str, Any]) -> dict[str, Any]:
    return {"attributes": present({"source": values.get("source"), "product": values.get("ASIN")})}


def _judgement(row: RawRow, split: str | None) -> RawRow:
    return _made(
        row,
        lambda v: {"query": v.get("question"), "item_id": _item(v), "label": v.get("label"), "split": split},
    )


def _dialogue(row: RawRow, split: str | None) -> RawRow:
    return _made(row, lambda v: {"question": v.get("question"), "answer": v.get("answer"), "split": split})


def _made(row: RawRow, make: Any) -> RawRow:
    return row if row.values is None else RawRow(row.file, row.line, make(row.values))
