from pathlib import Path

import numpy as np

from shopguide.records.partition import partition
from shopguide.records.splits import Fold, normalised
from shopguide.records.tables import column
from tests.records.shops import load, write_lines, write_shop

SHARES = (0.6, 0.2, 0.2)


def test_products_of_one_title_stay_together(tmp_path: Path) -> None:
    products = [
        {"item_id": str(i), "title": f"Boot {i % 40}".upper() if i % 2 else f"boot {i % 40}"} for i in range(400)
    ]
    shop = load(write_shop(tmp_path / "shop", products, []))
    parts = partition(shop, "group", SHARES, seed=0)
    titles = np.array([normalised(title) for title in column(shop.products, "title")])
    assert all(len(set(parts.products[titles == title])) == 1 for title in titles)
    assert set(parts.products) == {"train", "dev", "test"}


def test_published_splits_stand(tmp_path: Path) -> None:
    products = [{"item_id": str(i), "title": "same", "split": split} for i, split in enumerate(("train", "dev", "dev"))]
    shop = load(write_shop(tmp_path / "shop", products, []))
    assert partition(shop, "group", SHARES, seed=0).products.tolist() == ["train", "dev", "dev"]


def test_judgements_go_by_query_behaviours_by_user(tmp_path: Path) -> None:
    products = [{"item_id": "I", "title": "t"}]
    behaviours = [{"query": f"q{i}", "user_id": f"U{i // 5}", "timestamp": i} for i in range(100)]
    folder = write_shop(tmp_path / "shop", products, behaviours)
    write_lines(
        folder / "judgements.jsonl", [{"query": f"q{i // 4}", "item_id": "I", "label": i % 2} for i in range(200)]
    )
    shop = load(folder)
    parts = partition(shop, "user_time", SHARES, seed=0)
    for rows, names in (
        (shop.behaviours, column(shop.behaviours, "user_id")),
        (shop.judgements, column(shop.judgements, "query")),
    ):
        split = parts.behaviours if rows is shop.behaviours else parts.judgements
        assert all(len({s for s, n in zip(split, names, strict=True) if n == name}) == 1 for name in names)
    assert parts.behaviours.tolist() == ["train"] * 60 + ["dev"] * 20 + ["test"] * 20


def test_folds_of_published_splits_leave_what_is_held_out(tmp_path: Path) -> None:
    products = [{"item_id": str(i), "title": f"t{i}", "split": "test" if i < 10 else ""} for i in range(60)]
    shop = load(write_shop(tmp_path / "shop", products, []))
    folds = [partition(shop, "group", SHARES, 0, Fold(i, 3)).products for i in range(3)]
    assert all((fold[:10] == "test").all() and not (fold[10:] == "test").any() for fold in folds)
    assert sum((fold == "dev").astype(int) for fold in folds).tolist() == [0] * 10 + [1] * 50
