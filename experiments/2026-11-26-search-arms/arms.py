"""On the runs of a sweep of the demo shop: search with hard negatives, with a teacher, ordered anew by a second stage;
what comes next with vectors of products.

    python THIS --root mlruns --experiment shopguide

The sweep is that of the README beside this file. Each pretrained run's backbone is fine-tuned again, once an arm, into
the experiments `hard`, `teacher` and `items` of the same store; each run's search is scored with `rerank=relevance`.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from shopguide.runs.store import Store, open_store

HARD = ["tasks=[search]", "finetune.matching.hard=2"]


def main() -> None:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--root", type=Path, required=True)
    made.add_argument("--experiment", default="shopguide")
    args = made.parse_args()
    store = open_store(None, args.experiment, args.root, create=False)
    asked = "tags.`shopguide.kind` = 'experiment' and attributes.status = 'FINISHED'"
    for job in store.client.search_runs([store.experiment_id], asked, max_results=100):
        run, tracked = job.info.run_id, [f"tracking.root={args.root}"]
        named = f"tracking.experiment={args.experiment}"
        typed("evaluate", f"run={run}", "task=search", "rerank=relevance", named, *tracked)
        if (backbone := pretrained(store, run)) is None:
            continue
        seed = job.data.params["seed"]
        same = ["+experiment=ft_only", f"model.path={backbone}", f"seed={seed}", f"data.options.seed={seed}", *tracked]
        teacher = f"finetune.matching.teacher={store.task_model(run, 'relevance')}"
        typed("train", *same, *HARD, "tracking.experiment=hard")
        typed("train", *same, *HARD, teacher, "tracking.experiment=teacher")
        typed("train", *same, "tasks=[recommend]", "finetune.matching.items=100", "tracking.experiment=items")


def pretrained(store: Store, run: str) -> Path | None:
    """Folder of the backbone that a run's pretraining made, if it had one."""
    phases = ((child.data.tags.get("mlflow.runName", ""), child.info.run_id) for child in store.find_children(run))
    found = next((phase for name, phase in phases if name.startswith("pretrain")), None)
    return None if found is None else store.artifact_folder(found, "model")


def typed(command: str, *words: str) -> None:
    print(command, *words, flush=True)
    subprocess.run([sys.executable, "-m", f"shopguide.{command}", *words], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
