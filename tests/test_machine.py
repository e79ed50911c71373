import os
from pathlib import Path

import pytest

from shopguide import machine
from shopguide.machine import native_bf16, prepare_process

NAME = "THP_MEM_ALLOC_ENABLE"


def test_large_pages_are_asked_for_unless_the_user_has_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(NAME, raising=False)
    prepare_process()
    assert os.environ[NAME] == "1"
    monkeypatch.setenv(NAME, "0")
    prepare_process()
    assert os.environ[NAME] == "0"


@pytest.mark.parametrize(
    ("line", "native"),
    [
        ("flags\t\t: fpu avx2 avx512_bf16", True),
        ("flags\t\t: fpu amx_bf16 amx_tile", True),
        ("Features\t: fp asimd bf16", True),
        ("flags\t\t: fpu avx2 avx512f", False),
        ("", False),
    ],
)
def test_half_precision_is_native_where_the_processor_says_so(
    line: str, native: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    assert not native_bf16()
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{line}\n", encoding="utf-8")
    assert native_bf16() is native
