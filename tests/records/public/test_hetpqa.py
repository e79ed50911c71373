from pathlib import Path

import pytest

from tests.records.public.reading import attributes, published, read

HEAD = "qid\tASIN\tqa_pair_id\tquestion\tcandidate\tlabel\tsource\tconfidence\n"


def test_evidence_is_what_is_ranked(tmp_path: Path) -> None:
    rows = '7\tB1\t70\tdoes it fit?\t"size: { ""L"" }"\t0\tattribute\thigh\n7\tB1\t71\tdoes it fit?\tyes\t1\tCQA\tmid\n'
    (tmp_path / "evidence_ranking_dev.csv").write_text(HEAD + rows)
    (tmp_path / "train.csv").write_text("ASIN\tquestion\tcandidate\tanswer\tsource\nB2\twhy?\tso.\tbecause\tCQA\n")
    shop = read("hetpqa", tmp_path, tmp_path / "cache")
    assert [(p["item_id"], p["title"], attributes(p)) for p in shop.products] == [
        ("7-70", 'size: { "L" }', {"source": "attribute", "product": "B1"}),
        ("7-71", "yes", {"source": "CQA", "product": "B1"}),
    ]
    judged = [(j["query"], j["item_id"], j["label"], j["split"]) for j in shop.judgements]
    assert judged == [("does it fit?", "7-70", "0", None), ("does it fit?", "7-71", "1", None)]
    assert [(d["question"], d["answer"], d["split"]) for d in shop.dialogues] == [("why?", "because", None)]
    (tmp_path / "evidence_ranking_test.csv").write_text(HEAD + "8\tB3\t80\twhen?\tnow\t1\tCQA\tmid\n")
    again = read("hetpqa", tmp_path, tmp_path / "cache").judgements["split"]
    assert list(again) == [None, None, "test"]  # no training file: the split of the others is to be drawn


@pytest.mark.public
def test_the_published_files(tmp_path: Path) -> None:
    shop = read("hetpqa", published("hetpqa"), tmp_path)
    assert len(shop.judgements) == len(shop.products) > 2500
    assert len(shop.dialogues) == 3693 + 398
