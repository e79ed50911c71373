"""What a model is, in words and figures: written from its runs."""

from collections.abc import Iterator, Mapping

from mlflow.entities import Run as MlflowRun

from shopguide.experiment.closing import BESIDE, result_rows
from shopguide.inference.card import Card

WEAKEST = 3
LEARNT = {"train": "fine-tuning", "pretraining": "pretraining"}
SHOWN = 12
"""Classes that are named."""


def model_card(name: str, card: Card, experiment: MlflowRun, phase: MlflowRun) -> str:
    """Markdown: what it answers, data, training, results beside baselines, limits, and how it is made again.

    Args:
        name: of the model.
        card: of the task.
        experiment: the experiment's run.
        phase: the run of the task's fine-tuning.
    """
    parts = {
        "What it answers": _answers(card),
        "Data": _data(experiment),
        "Training": _training(experiment, phase),
        "Results": _results(card, phase),
        "Limits": _limits(card, experiment, phase),
        "Made with": _made(experiment),
    }
    sections = (f"## {title}\n\n" + "\n".join(lines) for title, lines in parts.items())
    return f"# {name}\n\n" + "\n\n".join(sections) + "\n"


def _answers(card: Card) -> Iterator[str]:
    read = " and ".join(" or ".join(part) for part in (card.inputs.first, card.inputs.second) if part)
    yield f"Task `{card.task}` ({card.kind}); it reads {read}, at most {card.max_length} tokens."
    for target, classes in card.targets.items():
        shown = ", ".join(classes[:SHOWN]) + (", …" if len(classes) > SHOWN else "")
        yield f"- {target}: {len(classes):,} classes ({shown})"


def _data(experiment: MlflowRun) -> Iterator[str]:
    params, tags = experiment.data.params, experiment.data.tags
    yield f"- `data={params.get('data.name')}`, fingerprint `{tags.get('fingerprint.data')}`"
    yield f"- split by {params.get('data.split.by')}, seed {params.get('data.split.seed')}"
    counts = {k.removeprefix("records/"): v for k, v in experiment.data.metrics.items() if k.startswith("records/")}
    rows = (f"{key.replace('/', ' ')} {count:,.0f}" for key, count in sorted(counts.items()) if "/" in key)
    yield "- " + ", ".join(rows)


def _training(experiment: MlflowRun, phase: MlflowRun) -> Iterator[str]:
    params, metrics = experiment.data.params, phase.data.metrics
    start = params.get("model.path")
    yield f"- backbone `{params.get('model.name')}`, " + (f"from {start}" if start != "None" else "random weights")
    yield "- " + ", ".join(f"{name} {params.get(name)}" for name in ("phases", "lr", "epochs", "seed"))
    yield (
        f"- {phase.data.tags.get('precision')}, {metrics.get('cost/training_seconds', 0):,.1f} s, "
        f"{metrics.get('cost/parameters', 0):,.0f} parameters"
    )


def _results(card: Card, phase: MlflowRun) -> Iterator[str]:
    metrics = phase.data.metrics
    beside = [key for key in BESIDE if any(name.startswith(f"{key}/") for name in metrics)]
    titles = ["metric", "model", "95 % interval", *(BESIDE[key] for key in beside)]
    yield _row(titles)
    yield _row(["---"] * len(titles))
    for _, _, *cells in result_rows("finetune", card.task, card.kind, metrics, beside):
        yield _row(cells)


def _limits(card: Card, experiment: MlflowRun, phase: MlflowRun) -> Iterator[str]:
    metrics = phase.data.metrics
    yield "- The figures are those of this shop's held-out text; `shopguide.evaluate data=…` tells those of another."
    yield f"- Text beyond {card.max_length} tokens is cut off."
    for key, value in sorted(experiment.data.metrics.items()):
        own = key.removeprefix(f"leak/{card.task}/")
        if own != key and "." not in own and value > 0:
            held_out, _, learnt = own.partition("_in_")
            yield f"- {value:.1%} of the {held_out} texts also stand in what was read for {LEARNT[learnt]}."
    weakest = sorted((value, name) for name, value in _of_classes(metrics).items())[:WEAKEST]
    if weakest:
        yield "- Weakest classes by F1: " + ", ".join(f"{name} {value:.3f}" for value, name in weakest)


def _of_classes(metrics: Mapping[str, float]) -> dict[str, float]:
    """Class → F1 on the test split."""
    known = {key.removeprefix("test/f1/"): value for key, value in metrics.items() if key.startswith("test/f1/")}
    return {name: value for name, value in known.items() if not name.endswith((".low", ".high")) and value == value}


def _made(experiment: MlflowRun) -> Iterator[str]:
    tags = experiment.data.tags
    if commit := tags.get("git.commit"):
        yield f"- commit `{commit}`" + (" with changes" if tags.get("git.dirty") == "true" else "")
    versions = {key.removeprefix("version."): value for key, value in tags.items() if key.startswith("version.")}
    yield "- " + ", ".join(f"{package} {version}" for package, version in sorted(versions.items()))
    yield f"- `python -m shopguide.reproduce run={experiment.info.run_id}` in the same store makes it again"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
