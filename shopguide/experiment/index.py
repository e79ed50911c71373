"""Index a shop's products with a task model of a finished experiment."""

from pathlib import Path

from shopguide.build import build_task
from shopguide.checks import parse
from shopguide.config import DataConfig
from shopguide.errors import DataError, ModelError
from shopguide.experiment.prepare import load_material
from shopguide.inference.card import RETRIEVAL, read_card
from shopguide.inference.encoder import Encoder
from shopguide.inference.indexing import build_index, check_place
from shopguide.inference.vectors import Vectors
from shopguide.records.tables import column
from shopguide.runs.store import Store
from shopguide.tasks.task import Catalogue


def index_run(
    store: Store,
    run: str,
    task: str | None,
    data: DataConfig | None,
    output: Path,
    batch_tokens: int,
    dimensions: int | None = None,
    approximate: float | None = None,
) -> tuple[str, Vectors]:
    """Make an index of a shop's products, each read as in training.

    Args:
        store: where the runs are.
        run: the experiment's run.
        task: one of its tasks; None: the one that finds products.
        data: the shop; None: the one that the run was trained on.
        output: folder to be made.
        batch_tokens: tokens that the model sees at once.
        dimensions: as `build_index`.
        approximate: as `build_index`.

    Returns:
        The task, and the index.

    Raises:
        DataError: the shop has no products.
        ModelError: no task of the run finds products, or several do; or as `build_index`, told before any work.
        RunError: there is no such run or task.
    """
    check_place(output)
    runs = store.task_runs(run, task)
    models = {name: store.task_model(run, name) for name in runs}
    finding = [name for name, folder in models.items() if read_card(folder, name).kind == RETRIEVAL]
    if len(finding) != 1:
        raise ModelError(
            f"task={task}: expected a task that finds products (search, recommend, similar), found "
            f"{' and '.join(finding) or ', '.join(runs)}"
        )
    (name,) = finding
    settings = store.settings(runs[name])
    shop = load_material(data or parse(DataConfig, settings["data"])).shop
    if not len(shop.products):
        raise DataError("index: expected products, found none")
    shown = build_task(name, settings["tasks"][name]).shown(shop)
    encoder = Encoder.load(models[name])
    catalogue = Catalogue(column(shop.products, "item_id"), shown)
    return name, build_index(encoder, models[name], catalogue, output, batch_tokens, dimensions, approximate)
