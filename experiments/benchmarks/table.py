"""The benchmarks' JSON lines as one table.

python -m experiments.benchmarks.table experiments/2026-11-24-engine/results > experiments/2026-11-24-engine/results.md
"""

import json
import sys
from pathlib import Path


def main() -> None:
    print("| benchmark | case | unit | shopguide | peer | ratio of medians [min–max] | control | rounds | beside |")
    print("|---|---|---|---|---|---|---|---|---|")
    for path in sorted(Path(sys.argv[1]).glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        for row in found["results"]:
            beside = [
                f"{key} {value['ours']:.4g} : {value['theirs']:.4g}"
                for key, value in row.items()
                if isinstance(value, dict)
            ]
            beside = ([f"precision {row['precision']}"] if "precision" in row else []) + beside
            ratio = f"{row['ratio_median']:.2f} [{row['ratio_min']:.2f}–{row['ratio_max']:.2f}]"
            verdict = ratio if row["measured"] else f"not measured ({ratio})"
            cells = [
                found["benchmark"],
                row["case"],
                row["unit"],
                f"{row['ours']:,.4g}",
                f"{row['theirs']:,.4g}",
                verdict,
            ]
            print("| " + " | ".join([*cells, f"{row['control']:.2f}", str(row["rounds"]), "; ".join(beside)]) + " |")


if __name__ == "__main__":
    main()
