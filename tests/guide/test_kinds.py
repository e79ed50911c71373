from pathlib import Path
from types import SimpleNamespace

import numpy as np

from shopguide.guide.kinds import Kinds
from shopguide.guide.shelf import Shelf
from shopguide.text.inputs import InputSpec
from tests.guide.shops import shop


class Model:
    """Knows a department, a category, and reads the history."""

    card = SimpleNamespace(
        targets={"category": ["clothing", "electronics/smartphone"]}, inputs=InputSpec(("query", "viewed", "purchased"))
    )

    def posterior(self, texts: list[str]) -> dict[str, np.ndarray]:
        self.texts = texts
        return {"category": np.array([[0.3, 0.7]] * len(texts), dtype=np.float32)}


def test_products_are_of_the_longest_class_that_is_known(tmp_path: Path) -> None:
    model = Model()
    kinds = Kinds(model, Shelf(shop(tmp_path)))  # type: ignore[arg-type]
    (posterior,) = kinds.posterior(["手机"], [[2]], [[0]])
    assert model.texts == ["手机 | black smartphone 手机 | red cotton dress"]
    assert kinds.of(posterior, np.arange(5)).round(2).tolist() == [0.3, 0.3, 0.7, 0.0, 0.0]
    assert [(share.label, round(share.probability, 2)) for share in kinds.told(posterior)] == [
        ("electronics/smartphone", 0.7), ("clothing", 0.3),
    ]  # fmt: skip
    model.card.targets["category"][1] = "food/tea"
    assert [share.label for share in Kinds(model, Shelf(shop(tmp_path / "other"))).told(posterior)] == ["clothing"]  # type: ignore[arg-type]
