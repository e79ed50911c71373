import os

import pytest

from shopguide.machine import prepare_process

NAME = "THP_MEM_ALLOC_ENABLE"


def test_large_pages_are_asked_for_unless_the_user_has_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    prepare_process()
    assert os.environ[NAME] == "1"
    monkeypatch.setenv(NAME, "0")
    prepare_process()
    assert os.environ[NAME] == "0"
