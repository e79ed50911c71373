import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shopguide.errors import DataError
from shopguide.inference.files import answer_file, read_records, write_records
from shopguide.inference.predictor import Predictor
from tests.conftest import Finished
from tests.records.shops import write_lines

RECORDS: list[dict[str, Any]] = [{"query": "手机壳", "id": 7}, {"query": 'red "trail" boots, 42', "id": 8}]
ANSWERS = [{**record, "label": "a", "posterior": {"a": 0.75, "b": 0.25}} for record in RECORDS]


def written(path: Path) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(RECORDS), path)
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, ["query", "id"], delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(RECORDS)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress("\n".join(json.dumps(r) for r in RECORDS).encode()))
    else:
        write_lines(path, RECORDS)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.ndjson", "a.json", "a.csv", "a.tsv", "a.parquet", "a.jsonl.gz"])
def test_the_same_records_from_every_format(name: str, tmp_path: Path) -> None:
    found = list(read_records(written(tmp_path / name)))
    assert [{**row, "id": int(row["id"])} for row in found] == RECORDS


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"query": "a"}\n{"query": ', r"a.jsonl:2  \(row\)  expected a JSON object, found broken JSON"),
        (b"[1]\n", r"a.jsonl:1  \(row\)  expected a JSON object, found a int"),
        (b'{"query": "a"}\n{"query": "\xff"}\n', r"a.jsonl:2 .* expected text in UTF-8 \(from GBK: iconv .*0xff at 12"),
    ],
)
def test_a_line_that_cannot_be_read(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(DataError, match=message):
        list(read_records(tmp_path / "a.jsonl"))


def test_a_file_without_records(finished: Finished, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("\n")
    model = Predictor.load(finished.store.task_model(finished.run_id, "need"))
    with pytest.raises(DataError, match=r"input=.*none.jsonl: expected records, found none"):
        answer_file(model, str(tmp_path / "none.jsonl"), str(tmp_path / "out.jsonl"), 256)
    assert not (tmp_path / "out.jsonl").exists()


def test_an_unknown_ending(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"input=.*a.xlsx: expected a file ending in .jsonl"):
        list(read_records(tmp_path / "a.xlsx"))
    with pytest.raises(DataError, match=r"output=.*a.xlsx: expected a file ending in .jsonl"):
        write_records(iter(ANSWERS), tmp_path / "a.xlsx")


@pytest.mark.parametrize("name", ["out.jsonl", "out.csv", "out.parquet"])
def test_what_is_written_reads_back(name: str, tmp_path: Path) -> None:
    assert write_records(iter(ANSWERS), tmp_path / "new" / name) == 2
    found = list(read_records(tmp_path / "new" / name))
    plain = [r if isinstance(r["posterior"], dict) else {**r, "posterior": json.loads(r["posterior"])} for r in found]
    assert [{**row, "id": int(row["id"])} for row in plain] == ANSWERS


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_table_loses_no_field_in_silence(name: str, tmp_path: Path) -> None:
    rows = [{"query": "a"}, {"query": "b", "note": "new"}]
    with pytest.raises(DataError, match=rf"record 2: found `note`, which is no column of {name} .*output=….jsonl"):
        write_records(iter(rows), tmp_path / name)
    assert not (tmp_path / name).exists()


def test_a_failed_file_leaves_the_old_one(tmp_path: Path) -> None:
    def broken() -> Any:
        yield ANSWERS[0]
        raise DataError("record 2: broken")

    (tmp_path / "out.jsonl").write_text("old")
    with pytest.raises(DataError):
        write_records(broken(), tmp_path / "out.jsonl")
    assert (tmp_path / "out.jsonl").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_answers_of_a_file_are_those_of_its_records(
    finished: Finished, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictor = Predictor.load(finished.store.task_model(finished.run_id, "need"))
    source = written(tmp_path / "a.csv")
    assert answer_file(predictor, str(source), str(tmp_path / "out.parquet"), 1) == 2
    expected = list(predictor.predict(RECORDS))
    for row, answer in zip(read_records(tmp_path / "out.parquet"), expected, strict=True):
        assert row["label"] == answer["label"]
        assert json.loads(row["posterior"]) == pytest.approx(answer["posterior"], abs=1e-6)
    capsys.readouterr()
    assert answer_file(predictor, str(source), None, 64) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["query"] for line in lines] == [r["query"] for r in RECORDS]
