"""What an experiment leaves behind: metrics, figures and models on its runs, and what to type next."""

import contextlib
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from shopguide.config import Config
from shopguide.experiment.finetune import Finetuned
from shopguide.experiment.fit import Fitted
from shopguide.experiment.prepare import Material
from shopguide.experiment.pretrain import Pretrained
from shopguide.inference.card import Card
from shopguide.inference.evaluation import Scores
from shopguide.inference.saved_model import save_model
from shopguide.records.schema import TABLES
from shopguide.runs import figures
from shopguide.runs.secrets import mask_uri
from shopguide.runs.store import MODEL_RUN, Store
from shopguide.runs.tree import Run
from shopguide.tasks.task import Examples, Task
from shopguide.text.tokenizer import tokenizer_fingerprint

MAP_POINTS = 1500
SHOWN_TEXT = 40
"""Characters."""


def log_material(run: Run, material: Material) -> None:
    """Row counts, and what was quarantined."""
    shop, parts = material.shop, material.parts
    metrics: dict[str, float] = {"records/quarantined": float(shop.report.quarantined)}
    for table in TABLES:
        split = getattr(parts, table)
        metrics |= {f"records/{table}/{name}": float((split == name).sum()) for name in np.unique(split)}
    run.log_metrics(metrics)


def log_pretrained(run: Run, result: Pretrained) -> None:
    """The backbone as a Hugging Face folder, its curves, and what was read."""
    run.set_tags({"corpus": result.corpus.fingerprint, "tokenizer": tokenizer_fingerprint(result.tokenizer)})
    run.log_metrics({"corpus/tokens": float(result.corpus.tokens), "corpus/sequences": float(len(result.corpus.train))})
    _log_fitted(run, result.fitted)
    with tempfile.TemporaryDirectory() as folder:
        result.save(folder)
        run.log_artifacts(folder, "model")
    _log_curves(run, "pretraining")


def log_shared(run: Run, results: Sequence[Finetuned]) -> None:
    """The one folder that serves several tasks, and the curves of its training."""
    predictor = results[0].predictor
    run.set_tags({"tokenizer": tokenizer_fingerprint(predictor.tokenizer)})
    cards = [result.predictor.card for result in results]
    with _saved(run, cards) as plain:
        save_model(plain, predictor.model, predictor.tokenizer, cards)
        for result in results:
            result.predictor.save_fusion(plain)
    _log_curves(run, "+".join(card.task for card in cards))


def log_finetuned(run: Run, result: Finetuned, model_run: str | None = None) -> None:
    """The task model for people and for MLflow, its scores and figures.

    Args:
        run: of the task.
        result: of its training.
        model_run: the run that holds the model, where it is not this one.
    """
    predictor = result.predictor
    run.set_tags(
        {
            "task": predictor.card.task,
            "task_kind": predictor.card.kind,
            "tokenizer": tokenizer_fingerprint(predictor.tokenizer),
        }
    )
    _log_fitted(run, result.fitted)
    for name, scores in result.scores.items():
        prefix = ("test" if result.split == "test" else "dev_final") if name == "model" else name
        run.log_metrics(flat_scores(scores, prefix))
    card = predictor.card
    run.log_metrics({f"temperature/{target}": value for target, value in card.temperatures.items()})
    _log_figures(run, result)
    if model_run is not None:
        run.set_tags({MODEL_RUN: model_run})
        return
    with _saved(run, [card]) as plain:
        predictor.save(plain)
    _log_curves(run, card.task)


@contextlib.contextmanager
def _saved(run: Run, cards: Sequence[Card]) -> Iterator[Path]:
    """A folder for a model that becomes the run's MLflow model."""
    from shopguide.inference.mlflow_model import FOLDER, save_mlflow_model

    with tempfile.TemporaryDirectory() as temporary:
        plain, wrapped = Path(temporary) / FOLDER, Path(temporary) / "mlflow"
        yield plain
        save_mlflow_model(wrapped, plain, cards)
        run.log_artifacts(str(wrapped), "model")


def flat_scores(scores: Scores, prefix: str) -> dict[str, float]:
    """`<prefix>/<metric>`, with `.low` and `.high` of its interval."""
    out = {f"{prefix}/{name}": value for name, value in scores.metrics.items()}
    for name, (low, high) in scores.intervals.items():
        out |= {f"{prefix}/{name}.low": low, f"{prefix}/{name}.high": high}
    return out


def _log_fitted(run: Run, fitted: Fitted) -> None:
    run.set_tags({"precision": fitted.precision, "peak_tflops": f"{fitted.peak_tflops:.3g}"})
    run.log_metrics(
        {
            **{f"kept/{name}": value for name, value in fitted.dev.items()},
            "cost/tokens_per_second": fitted.tokens_per_second,
            "cost/training_seconds": fitted.seconds,
            "cost/peak_memory_gb": fitted.peak_memory_gb,
            "cost/parameters": float(fitted.parameters),
            **({"cost/peak_gpu_memory_gb": gpu} if (gpu := fitted.peak_gpu_memory_gb) is not None else {}),
        }
    )


def _log_curves(run: Run, title: str) -> None:
    history = {name: run.history(name) for name in ("train/loss", "dev/loss", "train/lr")}
    drawn = {name: points for name, points in history.items() if points}
    if drawn:
        run.log_figure(figures.loss_curves(drawn, title), "figures/loss_curves.png")


def _log_figures(run: Run, result: Finetuned) -> None:
    examples, card = result.held_out, result.predictor.card
    for name, figure in result.head.figures(card, examples, result.answers, result.split):
        run.log_figure(figure, f"figures/{name}.png")
    if not examples.labels:
        return
    target = next(iter(examples.labels))
    shown = examples.take(np.arange(min(MAP_POINTS, len(examples))))
    vectors = result.predictor.embed(shown.first, shown.second, half=True)
    names = [label or "unknown" for label in shown.labels[target]]
    run.log_figure(
        figures.embedding_map(vectors, names, f"{card.task}: texts by {target}"), "figures/embedding_map.png"
    )


def next_commands(config: Config, store: Store, run_id: str, labelled: Sequence[tuple[Task, Examples]]) -> None:
    """Print what to type next, with a text of the shop's own."""
    from shopguide.guide.guide import ROLES

    own = config.tracking.typed()
    phases = {c.data.tags.get("shopguide.phase"): c.info.run_id for c in store.find_children(run_id)}
    data = f"data={config.data.name}" + (f" data.root={config.data.root}" if config.data.root else "")
    print("\nNext:")
    if "finetune" in config.phases:
        task, split = labelled[0][0].name, "test" if "test" in labelled[0][1].split else "dev"
        print(f"  python -m shopguide.predict run={run_id} task={task} {_typed(labelled[0][1])}{own}")
        print(f"  python -m shopguide.evaluate run={run_id} split={split}{own}")
        if not set(ROLES).isdisjoint(each.name for each, _ in labelled):
            print(f"  python -m shopguide.serve run={run_id}{own}")
        model = f"runs:/{store.model_run(phases[f'finetune {task}'])}/model"
        print(f"  MLFLOW_TRACKING_URI={mask_uri(store.uri)} mlflow models serve -m {model} --env-manager local")
    else:
        folder = store.artifact_folder(phases["pretrain"], "model")
        print(f"  python -m shopguide.train +experiment=ft_only {data} model.path={folder}{own}")
    print(f"  mlflow ui --backend-store-uri {mask_uri(store.uri)}")


def _typed(examples: Examples) -> str:
    """The first example's text, or pair of texts, as it is typed."""
    pair = {"text": examples.first[0]} | ({} if examples.second is None else {"text_pair": examples.second[0]})
    short = {key: " ".join(text.split())[:SHOWN_TEXT].strip() for key, text in pair.items()}
    return " ".join(f"{key}={shlex.quote(text)}" for key, text in short.items())
