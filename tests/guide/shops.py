"""A small shop for the guide's tests, read as any shop's files are."""

import json
from pathlib import Path
from typing import Any

from shopguide.records.tables import Shop, load_shop

PRODUCTS: list[dict[str, Any]] = [
    {"item_id": "I1", "title": "red cotton dress", "category": "clothing/dress", "price": 30, "image": "images/I1.svg",
     "attributes": {"colour": "red", "material": "cotton"}},
    {"item_id": "I2", "title": "blue silk dress", "category": "clothing/dress", "price": 90,
     "attributes": {"colour": "blue", "material": "silk"}},
    {"item_id": "I3", "title": "black smartphone 手机", "category": "electronics/smartphone", "price": 500,
     "attributes": {"colour": "black"}},
    {"item_id": "I4", "title": "<script>alert(1)</script> red 手机壳", "category": "electronics/case", "price": None,
     "attributes": {"colour": "red"}},
    {"item_id": "I5", "title": "running shoes", "category": "shoes/running_shoes", "price": 60,
     "attributes": {"colour": "blue"}},
]  # fmt: skip
BEHAVIOURS: list[dict[str, Any]] = [
    {"user_id": "U1", "query": "dress", "viewed_items": ["I1", "I2"], "purchased_items": ["I2"], "timestamp": 1e9},
    {"user_id": "U1", "query": "phone", "viewed_items": ["I3"], "purchased_items": ["I3"], "timestamp": 1.1e9},
    {"user_id": "U2", "query": "手机", "viewed_items": ["I3"], "purchased_items": ["I3"], "timestamp": 1.2e9},
]
FAQ = [
    {"question": "how can I return something", "answer": "Within seven days.", "intent": "return"},
    {"question": "怎么退货", "answer": "七天内。", "intent": "return"},
    {"question": "where is my order", "answer": "See the link.", "intent": "track"},
]


def asked(question: str, item: str, answer: str) -> dict[str, Any]:
    return {"question": question, "item_id": item, "answer": answer, "intent": "product"}


QUESTIONS = [
    *(asked("what colour is it", item, f"It is {colour}.") for item, colour in
      (("I1", "red"), ("I2", "blue"), ("I3", "black"), ("I4", "red"))),
    *(asked("什么颜色", item, f"{colour}色") for item, colour in
      (("I1", "红"), ("I2", "蓝"), ("I3", "黑"), ("I4", "红"), ("I5", "蓝"), ("I1", "红"), ("I3", "黑"))),
]  # fmt: skip


def shop(folder: Path, dialogues: list[dict[str, Any]] | None = None) -> Shop:
    tables = {"products": PRODUCTS, "behaviours": BEHAVIOURS, "dialogues": FAQ + QUESTIONS}
    if dialogues is not None:
        tables["dialogues"] = dialogues
    root = folder / "files"
    (root / "images").mkdir(parents=True)
    (root / "images" / "I1.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    for name, rows in tables.items():
        if rows:
            (root / f"{name}.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return load_shop("files", root, cache_dir=folder / "cache")
