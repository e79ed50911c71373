"""Table and figure of the two sets, from what run.py printed.

    python experiments/2026-11-23-public-classification/summarise.py mwpd2020.log online_shopping_10_cats.log

Writes results.md and results.png beside itself; prints one JSON line last.
"""

import json
import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

HERE = Path(__file__).parent
SYSTEMS = {
    "majority": ("majority", "#c9c9c9"),
    "tfidf_lr": ("TF-IDF + LR", "#9a9a9a"),
    "trainer": ("transformers.Trainer", "#d9731a"),
    "shopguide": ("shopguide", "#2463a8"),
}


def main() -> None:
    found = [json.loads(Path(log).read_text(encoding="utf-8").splitlines()[-1]) for log in sys.argv[1:]]
    (HERE / "results.md").write_text(table(found), encoding="utf-8")
    draw(found)
    print(json.dumps(found))


def table(found: list[dict]) -> str:
    lines = [
        "| set | metric | " + " | ".join(label for label, _ in SYSTEMS.values()) + " | time, shopguide : Trainer |"
    ]
    lines.append("|---|---|" + "---|" * (len(SYSTEMS) + 1))
    for row in found:
        cells = [f"{row[s]['mean']:.3f} ± {row[s]['half_width']:.3f}" for s in SYSTEMS]
        cells[:2] = [f"{row[s]['mean']:.3f}" for s in ("majority", "tfidf_lr")]
        ratio = row["shopguide"]["seconds"] / row["trainer"]["seconds"]
        lines.append(f"| {row['set']} | {row['metric']} | " + " | ".join(cells) + f" | {ratio:.2f} |")
    return "\n".join(lines) + "\n"


def draw(found: list[dict]) -> None:
    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, len(found), squeeze=False)[0]
    for ax, row in zip(axes, found, strict=True):
        for place, (system, (_, colour)) in enumerate(SYSTEMS.items()):
            mean, half = row[system]["mean"], row[system]["half_width"]
            ax.barh(-place, mean, xerr=half or None, color=colour, capsize=3, height=0.7)
            ax.text(mean + half + 0.015, -place, f"{mean:.3f}", va="center", fontsize=8)
        ax.set_yticks([-p for p in range(len(SYSTEMS))], [label for label, _ in SYSTEMS.values()])
        ax.set_xlim(0, 1.05)
        ax.set_xlabel(row["metric"].replace("_f1", "-F1"))
        ax.set_title(row["set"], loc="left", fontweight="bold", fontsize=11)
        ax.spines[["top", "right"]].set_visible(False)
    for ax in axes[1:]:
        ax.set_yticklabels([])
    figure.savefig(HERE / "results.png", dpi=140)


if __name__ == "__main__":
    main()
