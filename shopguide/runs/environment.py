"""What a run was made with: commit and difference, versions, machine, settings; enough to make it again."""

import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from shopguide.runs.secrets import mask_secrets
from shopguide.runs.tree import Run

PACKAGES = ("shopguide", "torch", "pytorch-lightning", "transformers", "datasets", "mlflow", "torchmetrics")
ENVIRONMENT = "environment.txt"
"""Artifact with the packages."""
DIFF_LIMIT = 1_000_000


def log_environment(run: Run, settings: Mapping[str, Any], fingerprints: Mapping[str, str], seed: int) -> None:
    """Tags and artifacts of a run: written once, at its start."""
    masked = mask_secrets(settings)
    tags = {f"version.{name}": found for name in PACKAGES if (found := _version(name))}
    tags |= {f"fingerprint.{name}": value for name, value in fingerprints.items()}
    tags |= {"seed": str(seed), "python": platform.python_version(), "platform": platform.platform()}
    tags |= {"cpus": str(os.cpu_count())} | git_state()
    run.set_tags(tags)
    run.log_dict(masked, "config.json")
    run.log_text("\n".join(installed()), ENVIRONMENT)
    if diff := _git("diff", "HEAD"):
        run.log_text(diff[:DIFF_LIMIT], "git_diff.patch")


def installed() -> list[str]:
    """`<package>==<version>` of all that is installed, in order.

    Only the first lines of their metadata are read: `importlib.metadata` parses whole readmes.
    """
    kinds = ("*.dist-info/METADATA", "*.egg-info/PKG-INFO")
    files = (file for place in sys.path for kind in kinds for file in Path(place or ".").glob(kind))
    return sorted({f"{_header(file, 'Name')}=={_header(file, 'Version')}" for file in files})


def _header(file: Path, name: str) -> str:
    with file.open(encoding="utf-8", errors="replace") as lines:
        found = (line for line in lines if line.startswith(f"{name}: "))
        return next(found, "").removeprefix(f"{name}: ").strip()


def git_state() -> dict[str, str]:
    """Commit and whether files differ from it; empty outside a checkout of this project."""
    commit = _git("rev-parse", "HEAD")
    if not commit:
        return {}
    return {"git.commit": commit.strip(), "git.dirty": str(bool(_git("status", "--porcelain"))).lower()}


def _git(*arguments: str) -> str:
    try:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
