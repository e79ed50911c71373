"""Answers to questions on products that nobody asked in these words before: right, wrong, or not known.

    python experiments/2026-11-28-guide/answers.py --root FOLDER_WITH_RUNS [--run ID] [--writer FOLDER]

Of the run's shop, the dialogues of the test split are taken away, then asked; no model has learnt from them, and their
questions are worded in other ways than all others. An answer is right where at least half of the shop's own answer,
each word by its rarity, stands in what it rests on. Messages that are on no product are asked of one, too: what answers
them is wrong. Prints a JSON line.
"""

import argparse
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from shopguide.checks import parse
from shopguide.config import DataConfig
from shopguide.experiment.guiding import build_guide
from shopguide.experiment.prepare import load_material
from shopguide.guide.guide import EVIDENCE, Guide
from shopguide.guide.results import Answer
from shopguide.inference.wording import Writer
from shopguide.runs.store import open_store
from shopguide.tasks.evidence import TOLD, Rarity
from shopguide.tasks.passages import Passage


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--root", type=Path, required=True)
    made.add_argument("--run", default="latest")
    made.add_argument("--writer")
    options = made.parse_args()
    store = open_store(None, "shopguide", options.root, create=False)
    settings = store.settings(next(iter(store.task_runs(options.run, None).values())))
    material = load_material(parse(DataConfig, settings["data"]))
    dialogues = material.shop.dialogues
    without_test = dialogues.select(np.flatnonzero(material.parts.dialogues != "test"))
    kept = replace(material.shop, dialogues=without_test.flatten_indices())
    asked = [dialogues[int(row)] for row in np.flatnonzero(material.parts.dialogues == "test")]
    models = build_guide(store, options.run, None, "auto").guide.models
    guides = {
        "attributes": Guide(kept, {name: model for name, model in models.items() if name != EVIDENCE}, {}),
        "texts and reviews, too": Guide(kept, models, {}),
    }
    if options.writer:
        guides["in a writer's words"] = Guide(kept, models, {}, (), Writer(options.writer))
    rarity = Rarity([row["answer"] for row in asked if row["item_id"] and row["answer"]])
    print(json.dumps({name: told(guide, asked, rarity) for name, guide in guides.items()}, ensure_ascii=False))


def told(guide: Guide, asked: list[dict[str, str]], rarity: Rarity) -> dict[str, object]:
    found: dict[str, Counter[str]] = {"on the product": Counter(), "on none": Counter()}
    draw, written, examples = np.random.default_rng(0), Counter[bool](), []
    for row in asked:
        item = row["item_id"] or guide.shelf.ids[draw.integers(len(guide.shelf))]
        answer = guide.answer(row["question"], item)
        if row["item_id"]:
            found["on the product"][verdict(answer, row, rarity)] += 1
            if answer.answer is not None:
                written[answer.answer.endswith(answer.evidence[0].text)] += 1
                examples.append((row["question"], answer.answer, answer.evidence[0].text))
        elif answer.answer is None or answer.evidence[0].source == "faq":
            found["on none"]["left to others"] += 1
        else:
            found["on none"]["wrong"] += 1
    return {
        **found,
        "as it is": written[True],
        "worded": written[False],
        "some": examples[:: max(len(examples) // 6, 1)],
    }


def verdict(answer: Answer, row: dict[str, str], rarity: Rarity) -> str:
    if answer.answer is None:
        return "not known"
    pieces = [Passage(one.source, one.name, f"{answer.answer} {one.text}") for one in answer.evidence]
    shares = rarity.shares(row["answer"], row["question"], pieces)
    return "right" if shares is not None and shares.max() >= TOLD else "wrong"


if __name__ == "__main__":
    main()
