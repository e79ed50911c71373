import json
import zipfile
from pathlib import Path

import pytest

from tests.records.public.reading import attributes, published, read


def test_made_up_products(tmp_path: Path) -> None:
    root = tmp_path / "icecat"
    root.mkdir()
    rows = [
        {
            "id": "1",
            "title": "Cable &amp; plug",
            "supplier": "Acme",
            "short_description": "Good<br/>cable",
            "attr_t_colour": "black",
            "attr_n_length": 2,
            "attr_b_shielded": True,
            "price": 500,
        },
        {"id": "2", "name": "Toner"},
    ]
    with zipfile.ZipFile(root / "1.json.zip", "w") as file:
        file.writestr("1.json", json.dumps(rows))
    first, second = read("icecat", root, tmp_path).products
    assert (first["title"], first["description"], first["price"]) == ("Cable & plug", "Good cable", 500.0)
    assert attributes(first) == {"brand": "Acme", "colour": "black", "length": "2", "shielded": "true"}
    assert second["title"] == "Toner"


@pytest.mark.public
def test_the_published_files(tmp_path: Path) -> None:
    shop = read("icecat", published("icecat"), tmp_path, on_bad_rows="quarantine")
    assert len(shop.products) + shop.report.quarantined == 19_406
    assert shop.report.quarantined < 100
