"""What the tests of published sets share. Rows here are made up in the published formats."""

import os
from pathlib import Path
from typing import Any

import pytest

from shopguide.records.tables import Shop, load_shop

ROOT = Path(os.environ.get("SHOPGUIDE_DATA_ROOT", Path(__file__).parents[4] / "shared" / "data"))


def read(reader: str, root: Path, cache: Path, **settings: Any) -> Shop:
    return load_shop(reader, root, cache_dir=cache, **settings)


def published(name: str) -> Path:
    if not (ROOT / name).is_dir():
        pytest.skip(f"{name}: not in SHOPGUIDE_DATA_ROOT")
    return ROOT / name


def attributes(product: dict[str, Any]) -> dict[str, str]:
    return {pair["name"]: pair["value"] for pair in product["attributes"]}
