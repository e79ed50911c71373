from pathlib import Path

from shopguide.guide.mentions import Mentions
from shopguide.guide.shelf import Shelf
from tests.guide.shops import shop


def test_values_in_the_query(tmp_path: Path) -> None:
    mentions = Mentions(Shelf(shop(tmp_path)))
    found = mentions.find("RED silk Running  shoes, size 3")
    assert [(m.text, m.label) for m in found] == [
        ("RED", "colour"), ("silk", "material"), ("Running  shoes", "category"),
    ]  # fmt: skip
    assert [("RED silk Running  shoes, size 3")[m.start : m.end] for m in found] == [m.text for m in found]
    assert mentions.find("reddish") == []
