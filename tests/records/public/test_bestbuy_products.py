import io
import tarfile
from pathlib import Path

import pytest

from shopguide.errors import DataError
from tests.records.public.reading import attributes, published, read

HEAD = "upc,name,manufacturer,short_description,long_description\n"


def archive(path: Path, text: str) -> None:
    with tarfile.open(path, "w:gz") as file:
        entry = tarfile.TarInfo("products.csv")
        entry.size = len(text.encode())
        file.addfile(entry, io.BytesIO(text.encode()))


def test_made_up_products(tmp_path: Path) -> None:
    root = tmp_path / "bestbuy"
    root.mkdir()
    rows = '12,"TV 42\\" flat","Acme"," ","Bright, sharp"\n12, "Cable", " ", "Short", "Short"\n'
    archive(root / "products.tgz", HEAD + rows)
    first, second = read("bestbuy_products", root, tmp_path).products
    assert (first["item_id"], first["title"], first["description"]) == ("12-1", 'TV 42" flat', "Bright, sharp")
    assert attributes(first) == {"brand": "Acme"}
    assert (second["item_id"], second["description"]) == ("12-2", "Short")
    assert attributes(second) == {}


def test_what_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "products.tgz").write_bytes(b"none")
    with pytest.raises(DataError, match=r"expected an archive with products.csv"):
        read("bestbuy_products", tmp_path, tmp_path / "cache")


@pytest.mark.public
def test_the_published_file(tmp_path: Path) -> None:
    shop = read("bestbuy_products", published("bestbuy_products"), tmp_path, on_bad_rows="quarantine")
    assert len(shop.products) + shop.report.quarantined == 48_194
    assert shop.report.quarantined < 100
