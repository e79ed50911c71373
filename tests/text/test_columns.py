import pytest

from shopguide.text.columns import NAMES, column_of
from shopguide.text.tokenizer import train_tokenizer


@pytest.mark.parametrize("name", NAMES)
def test_an_input_is_what_the_tokenizer_of_transformers_tells(name: str) -> None:
    tokenizer = train_tokenizer(iter(["red boot", "brass lamp"]), 200, "bert")
    encoding = tokenizer.backend_tokenizer.encode("red boot", "lamp")
    assert column_of(encoding, name) == tokenizer("red boot", "lamp")[name]
