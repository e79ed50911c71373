"""The leak guard: before anything is learnt, how much of the held-out text is known from training or pretraining."""

from collections.abc import Iterable, Mapping, Sequence

from shopguide.config import Config
from shopguide.errors import DataError
from shopguide.experiment.prepare import Material
from shopguide.tasks.overlap import Overlap, overlap
from shopguide.tasks.task import Examples, Task
from shopguide.text.documents import pretraining_documents

Leaks = dict[str, Overlap]
"""`<task>/<split>_in_train` and, of a pair's first text, `<task>/<split>_in_pretraining` → what was found."""


def guard(config: Config, material: Material, labelled: Sequence[tuple[Task, Examples]]) -> Leaks:
    """Count the leaks and print those of the test examples; of the dev examples where a task has no others.

    Raises:
        DataError: more of a task's held-out examples than `data.max_leak` stand in its training examples, or in what
            the backbone is pretrained on.
    """
    read = _pretrained_on(config, material) if labelled else []
    found: Leaks = {}
    for task, examples in labelled:
        train = examples.of("train")
        for split in ("dev", "test"):
            held_out = examples.of(split)
            if len(held_out):
                # Two pairs of one product are alike in most letters, and yet two questions.
                near = held_out.second is None
                found[f"{task.name}/{split}_in_train"] = overlap(_texts(train), list(_texts(held_out)), near)
                if read:
                    found[f"{task.name}/{split}_in_pretraining"] = overlap(read, held_out.first)
        last = "test" if "test" in examples.split else "dev"
        for name, leak in found.items():
            if leak.near and name.startswith(f"{task.name}/{last}_"):
                print(f"leak {name}: {_told(leak)}", flush=True)
    _refuse(found, config.data.max_leak)
    return found


def leak_metrics(found: Mapping[str, Overlap]) -> dict[str, float]:
    """`leak/<name>`: share of the held-out texts; `.exact`, `.same`, `.near`: numbers, each with those before it."""
    metrics: dict[str, float] = {}
    for name, leak in found.items():
        counts = {".exact": leak.exact, ".same": leak.same, ".near": leak.near}
        metrics |= {f"leak/{name}": leak.share} | {f"leak/{name}{kind}": float(n) for kind, n in counts.items()}
    return metrics


def _texts(examples: Examples) -> Iterable[str]:
    """What a model reads of each example."""
    if examples.second is None:
        return examples.first
    return (f"{first}\n{second}" for first, second in zip(examples.first, examples.second, strict=True))


def _pretrained_on(config: Config, material: Material) -> list[str]:
    if "pretrain" not in config.phases:
        return []
    kinds, fields = config.pretrain.documents, config.pretrain.fields
    documents = pretraining_documents(material.shop, material.parts, kinds, fields)
    return list({segment: None for document in documents for segment in document})


def _told(leak: Overlap) -> str:
    kinds = f"{leak.exact:,} as they are, {leak.same - leak.exact:,} but for case and punctuation, "
    kinds += f"{leak.near - leak.same:,} nearly"
    return f"{leak.near:,} of {leak.texts:,} texts ({leak.share:.1%}; {kinds})"


def _refuse(found: Mapping[str, Overlap], limit: float | None) -> None:
    over = {name: leak for name, leak in found.items() if limit is not None and leak.share > limit}
    if not over:
        return
    lines = [
        f"  {name}: {_told(leak)}, for example\n"
        + "\n".join(f"    {held!r}\n    {text!r}" for held, text in leak.examples)
        for name, leak in over.items()
    ]
    raise DataError(
        f"data.max_leak={limit:g}: expected at most {limit:.1%} of the held-out texts to stand in what is learnt from, "
        "found\n"
        + "\n".join(lines)
        + "\n  Hold out whole groups (data.split.by=group), remove the doubles, or raise data.max_leak."
    )
