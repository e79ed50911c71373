import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest

from shopguide.records.demo_shop import Truth, generate
from shopguide.records.demo_shop.pictures import FORMS, SHADES
from shopguide.records.demo_shop.service import MATTERS
from shopguide.records.demo_shop.taxonomy import CATEGORIES
from shopguide.records.demo_shop.words import Vocabulary
from shopguide.records.tables import attributes_of, column
from tests.records.shops import load


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo") / "shop"
    generate(folder, products=400, behaviours=1500, seed=3)
    return folder


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_read_back_through_the_reader_of_users_files(folder: Path) -> None:
    shop = load(folder)
    assert (len(shop.products), len(shop.behaviours), shop.report.quarantined) == (400, 1500, 0)
    assert set(column(shop.products, "category")) == {category.path for category in CATEGORIES}
    assert set(attributes_of(shop.products[0])) == {"brand", "colour", "material"}
    times = column(shop.behaviours, "timestamp")
    assert times == sorted(times)


def test_the_same_seed_the_same_bytes_another_seed_another_shop(folder: Path, tmp_path: Path) -> None:
    for seed in (3, 4):
        generate(tmp_path / str(seed), products=400, behaviours=1500, seed=seed)
    for name in ("products.jsonl", "behaviours.jsonl", "dialogues.jsonl", "truth/behaviours.jsonl"):
        assert (tmp_path / "3" / name).read_bytes() == (folder / name).read_bytes()
        assert (tmp_path / "4" / name).read_bytes() != (folder / name).read_bytes()


def test_both_languages_and_mixed_queries(folder: Path) -> None:
    queries = [str(row["query"]) for row in lines(folder / "behaviours.jsonl")]
    latin = [any("a" <= c <= "z" for c in q.lower()) for q in queries]
    han = [any("\u4e00" <= c <= "\u9fff" for c in q) for q in queries]
    count = Counter(zip(latin, han, strict=True))
    assert count[True, False] > 400
    assert count[False, True] > 400
    assert count[True, True] > 40


def test_labels_are_noisy_as_said_and_the_truth_knows(folder: Path) -> None:
    rows, truth = lines(folder / "products.jsonl"), lines(folder / "truth" / "products.jsonl")
    for name in ("brand", "colour", "material"):
        wrong = sum(r["attributes"][name] != t["true"][name] for r, t in zip(rows, truth, strict=True))  # type: ignore[index]
        assert 2 <= wrong <= 30
    known = Truth.load(folder)
    told = [
        known.features(str(row["item_id"]))["category"] == t["true"]["category"]
        for row, t in zip(rows, truth, strict=True)
    ]  # type: ignore[index]
    assert all(told)


def test_shoppers_buy_what_they_need(folder: Path) -> None:
    category = {str(row["item_id"]): row["category"] for row in lines(folder / "products.jsonl")}
    rows, hidden = lines(folder / "behaviours.jsonl"), lines(folder / "truth" / "behaviours.jsonl")
    bought = [(item, h["need"]) for r, h in zip(rows, hidden, strict=True) for item in r["purchased_items"]]  # type: ignore[attr-defined]
    agreement = sum(category[item] == need for item, need in bought) / len(bought)
    assert 0.85 < agreement < 0.99
    assert all(set(r["purchased_items"]) <= set(r["viewed_items"]) for r in rows)  # type: ignore[call-overload]


def test_posterior_is_bayes_rule() -> None:
    words = Vocabulary(0)
    for word in (("noun en", "phone"), ("use zh", "续航两天")):
        posterior = words.posterior([word])
        assert sum(posterior.values()) == pytest.approx(1)
        assert max(posterior, key=lambda path: posterior[path]) == "electronics/smartphone"
    shared = words.posterior([("brand", "Novarix")])
    assert {path.split("/")[0] for path in shared} == {"electronics"}
    prior = {path: words.prior[path] for path in shared}
    assert shared == pytest.approx({path: share / sum(prior.values()) for path, share in prior.items()})


def test_dialogues_hold_a_faq_questions_on_products_and_messages(folder: Path) -> None:
    rows, known = lines(folder / "dialogues.jsonl"), Truth.load(folder)
    faq = [row for row in rows if "answer" in row and "item_id" not in row]
    assert len(faq) == 2 * len(MATTERS)
    assert len(rows) == 1500 + len(faq)
    true = {str(row["item_id"]): row["true"] for row in lines(folder / "truth" / "products.jsonl")}
    asked = [row for row in rows if "item_id" in row]
    assert 500 < len(asked) < 700
    brands = [row for row in asked if str(row["answer"]).startswith("It is made by")]
    assert all(row["answer"] == f"It is made by {true[str(row['item_id'])]['brand']}." for row in brands)  # type: ignore[call-overload]
    right = sum(row["intent"] == known.intent(place) for place, row in enumerate(rows)) / len(rows)
    assert 0.94 < right < 0.99


def test_each_product_has_a_picture_of_its_own_kind(folder: Path) -> None:
    assert set(FORMS) == {category.path for category in CATEGORIES}
    rows, truth = lines(folder / "products.jsonl"), lines(folder / "truth" / "products.jsonl")
    for row, hidden in zip(rows, truth, strict=True):
        drawn = (folder / str(row["image"])).read_text(encoding="utf-8")
        own = hidden["true"]
        assert ElementTree.fromstring(drawn).tag.endswith("svg")
        assert f'd="{FORMS[own["category"]]}" fill="{SHADES[own["colour"]]}"' in drawn  # type: ignore[index]


def test_made_once_and_whole(folder: Path) -> None:
    before = (folder / "products.jsonl").stat().st_mtime_ns
    generate(folder, products=400, behaviours=1500, seed=3)
    assert (folder / "products.jsonl").stat().st_mtime_ns == before
    assert [p.name for p in folder.parent.iterdir() if p.name.startswith("tmp")] == []


def test_small_shops_and_wrong_sizes(tmp_path: Path) -> None:
    generate(tmp_path / "one", products=1, behaviours=1, seed=0)
    assert len(lines(tmp_path / "one" / "behaviours.jsonl")) == 1
    with pytest.raises(ValueError, match="at least one product"):
        generate(tmp_path / "none", products=0, behaviours=1, seed=0)
    with pytest.raises(ValueError, match="0 dialogues or more"):
        generate(tmp_path / "none", dialogues=-1)
    generate(tmp_path / "silent", products=1, behaviours=1, dialogues=0)
    assert not (tmp_path / "silent" / "dialogues.jsonl").exists()


@pytest.mark.slow
def test_behaviours_stream_to_disk(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path; from shopguide.records.demo_shop import generate\n"
        "generate(Path(sys.argv[1]), products=200, behaviours=int(sys.argv[2]), seed=0)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = [
        int(
            subprocess.run(
                [sys.executable, "-c", script, str(tmp_path / rows), rows], capture_output=True, text=True, check=True
            ).stdout
        )
        for rows in ("100", "40000")
    ]
    assert sum(1 for _ in (tmp_path / "40000" / "behaviours.jsonl").open()) == 40_000
    assert peaks[1] < 1.15 * peaks[0]
