"""The guide of a finished experiment: its models on a catalogue, each encoder with that catalogue's vectors."""

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from shopguide.build import build_task
from shopguide.checks import parse
from shopguide.config import DataConfig, InferencePrecision
from shopguide.errors import ConfigError, DataError, RunError
from shopguide.experiment.prepare import Material, load_material
from shopguide.experiment.run import log_line
from shopguide.guide.answering import Answered
from shopguide.guide.guide import EVIDENCE, INTENT, NEED, RECOMMEND, RELEVANCE, ROLES, SEARCH, Guide, Served
from shopguide.guide.trust import NEVER
from shopguide.inference.answers import Answerer
from shopguide.inference.encoder import Encoder
from shopguide.inference.indexing import ABOUT, build_index, load_index, model_fingerprint
from shopguide.inference.load import load_model
from shopguide.inference.wording import Writer
from shopguide.records.tables import column
from shopguide.runs.registry import PREFIX
from shopguide.runs.store import Store
from shopguide.tasks.search import Search
from shopguide.tasks.task import Catalogue, Task

LEARNT_FROM = 300
"""Dev queries by which search weighs its stages, and dev dialogues by which answers are trusted."""
READ = (SEARCH, RELEVANCE, RECOMMEND)
"""Tasks whose models read products."""
FOLDER = "guide"
"""Below `data.cache_dir`: vectors of catalogues that a model was not trained on."""


def build_guide(
    store: Store,
    run: str,
    data: DataConfig | None,
    precision: InferencePrecision,
    persons: Collection[str] = (),
    writer: str | None = None,
    batch_tokens: int = 4096,
) -> Served:
    """Load the models and make what is missing of their vectors.

    Args:
        store: of the run.
        run: of an experiment, or a registered model; several with commas: of each task, the first that has it.
        data: the catalogue and what its shoppers did and asked; None: what the first one was trained on.
        precision: of the models.
        persons: intents that a person answers.
        writer: hub name or folder of a GPT-like model that words answers.
        batch_tokens: that a model sees at once while vectors are made.

    Raises:
        RunError: there is no such run, or none of its tasks is one that the guide works with.
        DataError: the catalogue has no products, or its records are faulty.
        ModelError: the writer is not there, or is no causal language model.
    """
    runs = _models(store, run)
    settings = {name: store.settings(phase) for name, (_, phase) in runs.items()}
    material = load_material(data or parse(DataConfig, next(iter(settings.values()))["data"]))
    log_line(material)
    folders = {name: store.task_model(own, name) for name, (own, _) in runs.items()}
    tasks = {name: build_task(name, settings[name]["tasks"][name]) for name in runs if name in READ}
    shown = {name: task.shown(material.shop) for name, task in tasks.items()}
    models: dict[str, Answerer] = {name: load_model(folder, precision, name) for name, folder in folders.items()}
    for name, model in models.items():
        if isinstance(model, Encoder):
            _see(model, folders[name], material, shown[name], batch_tokens)
    guide = Guide(material.shop, models, shown, persons, None if writer is None else Writer(writer))
    print(f"{len(models)} models loaded; the dev split tells how much each counts and is believed …", flush=True)
    phases = {name: phase for name, (_, phase) in runs.items()}
    try:
        _check_held_out(store, phases, material)
        _learn_answers(guide, material)
        _learn_order(guide, Search(name=SEARCH), material)
    except (ConfigError, DataError) as error:
        why = f"there is nothing to weigh them by ({error})"
        print(f"search: its stages count by their ranks, as {why}", file=sys.stderr)
    return Served(guide, _root(material))


def _models(store: Store, run: str) -> dict[str, tuple[str, str]]:
    """Task → run that has it, and the task's own run; of several runs, the first that has it."""
    found: dict[str, tuple[str, str]] = {}
    every = list[str]()
    for name in (word.strip() for word in run.strip("[]").split(",")):
        own = name if name.startswith(PREFIX) else store.resolve(name)  # once: `latest` may be another one in a moment
        phases = store.task_runs(own, None)
        every += phases
        found |= {task: (own, phase) for task, phase in phases.items() if task in ROLES and task not in found}
    if not found:
        raise RunError(f"run={run}: expected one of the tasks {', '.join(ROLES)}, found {', '.join(every)}")
    return found


def _check_held_out(store: Store, phases: Mapping[str, str], material: Material) -> None:
    """That no model has learnt from what is held out here.

    Raises:
        ConfigError: one was trained on these records, split in another way.
    """
    for name in {SEARCH, RELEVANCE, NEED, EVIDENCE} & phases.keys():
        split = parse(DataConfig, store.settings(phases[name])["data"]).split
        if store.fingerprint(phases[name]) == material.shop.fingerprint and split != material.data.split:
            raise ConfigError(f"the model of {name} was trained on these records, split in another way")


def _learn_order(guide: Guide, task: Task, material: Material) -> None:
    """What counts in search: from the dev split, which the models have not learnt from."""
    dev = task.examples(material.shop, material.parts, None).of("dev")
    if not any(any(own.values()) for own in dev.wanted or ()):
        raise DataError("in the dev split nobody has chosen a product")
    drawn = dev.take(np.sort(np.random.default_rng(0).permutation(len(dev))[:LEARNT_FROM]))
    guide.learn(drawn.first, drawn.wanted or [])


def _learn_answers(guide: Guide, material: Material) -> None:
    """When to trust intents and answers: from the dev split, too."""
    shop, draw = material.shop, np.random.default_rng(0)
    rows = draw.permutation(np.flatnonzero(material.parts.dialogues == "dev"))[:LEARNT_FROM]
    told = [shop.dialogues[int(row)] for row in rows]
    intents = [(one["question"], one["intent"]) for one in told if one["intent"]]
    if INTENT in guide.models and intents:
        guide.replying.learn(intents)
    asked = [
        Answered(one["question"], guide.shelf.place[one["item_id"]], one["answer"])
        if one["item_id"]
        else Answered(one["question"], int(draw.integers(len(guide.shelf))), None)
        for one in told
        if one["answer"] or not one["item_id"]
    ]
    if EVIDENCE in guide.models and asked:
        guide.answering.learn(asked)
    for name, sure in ((INTENT, guide.replying.sure), (EVIDENCE, guide.answering.sure)):
        if sure == NEVER:
            why = "the dev split does not show it right nine times in ten"
            more = "more dialogues, or a larger pretrained model, may help"
            print(f"{name}: its model is not believed: {why}; {more}", file=sys.stderr)


def _root(material: Material) -> Path:
    assert material.data.root is not None
    root = Path(material.data.root).expanduser()
    return root if root.is_dir() else root.parent


def _see(model: Encoder, folder: Path, material: Material, texts: Sequence[str], batch_tokens: int) -> None:
    """Give an encoder the catalogue, unless it has it: of the products as they are read, vectors are made once."""
    own = Catalogue(column(material.shop.products, "item_id"), texts)
    known = model.catalogue
    if known is not None and list(known.products.ids) == own.ids and list(known.products.texts) == list(texts):
        return
    name = f"{model.card.task}-{model_fingerprint(folder)}-{material.shop.fingerprint}"
    place = material.cache_dir / FOLDER / name
    is_made = (place / ABOUT).is_file()
    model.catalogue = load_index(place, folder) if is_made else build_index(model, folder, own, place, batch_tokens)
