"""Which settings make an experiment, and its pretraining, what they are."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from shopguide.config import Config
from shopguide.runs.identity import content, identity

ABOUT_THE_COMMAND = ("resume", "sort_by", "sweep", "cv")
"""Settings that change nothing of what is learnt."""


def settings_of(config: Config) -> dict[str, Any]:
    """The settings of an experiment, as they are kept with its run."""
    return {name: value for name, value in asdict(config).items() if name not in ABOUT_THE_COMMAND}


def experiment_identity(config: Config, fingerprint: str) -> str:
    """Of its resolved settings, its data, and what its teacher has learnt.

    Args:
        config: checked settings.
        fingerprint: of the shop's records.
    """
    taught = config.finetune.matching.teacher
    teacher = None if taught is None else content(Path(taught).expanduser())
    return identity({"settings": settings_of(config), "fingerprint": fingerprint, "teacher": teacher})


def pretraining_identity(config: Config, fingerprint: str) -> str:
    """Of what a pretraining depends on: jobs that differ in their fine-tuning share it.

    Args:
        config: checked settings.
        fingerprint: of the shop's records.
    """
    own = settings_of(config)
    facts = {name: own[name] for name in ("seed", "data", "model", "pretrain", "trainer")}
    optimizer = {name: value for name, value in own["optimizer"].items() if name != "lr"}  # that of the fine-tuning
    return identity(facts | {"optimizer": optimizer, "fingerprint": fingerprint, "of": "pretraining"})
