import subprocess
import sys
from pathlib import Path

import pytest

from shopguide import machine
from shopguide.machine import bf16_in_vectors_only, native_bf16, own_cores

FAULTS = """
import resource, torch
from shopguide.machine import prepare_process
prepare_process()
for _ in range(20):
    torch.zeros(10_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    torch.zeros(10_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_a_command_looks_for_garbage_rarely() -> None:
    code = "import gc; from shopguide.machine import prepare_process as p; p(); print(gc.get_threshold()[0])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) == machine.RARE_COLLECTION[0] > 10 * machine.USUAL_COLLECTION[0]


def test_what_is_imported_at_once_is_not_looked_at_for_garbage() -> None:
    code = (
        "import gc; from shopguide.machine import imported_at_once as a;\n"
        "with a():\n    import decimal; print(gc.isenabled(), end=' ')\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 1000)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False True True\n"


def test_a_process_has_the_cores_that_it_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {1, 5, 6}, raising=False)
    assert own_cores() == 3
    monkeypatch.delattr(machine.os, "sched_getaffinity")
    monkeypatch.setattr(machine.os, "cpu_count", lambda: 4)
    assert own_cores() == 4
    monkeypatch.setattr(machine.os, "cpu_count", lambda: None)
    assert own_cores() == 1


def test_a_process_ends_without_a_last_look_for_garbage() -> None:
    code = (
        "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count(), len(gc.get_objects())));"
        "from shopguide.machine import prepare_process as p; p()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    frozen, left = map(int, done.stdout.split())
    assert frozen > 100 * left


@pytest.mark.skipif(sys.platform != "linux" or machine.platform.libc_ver()[0] != "glibc", reason="glibc only")
def test_memory_of_one_step_serves_the_next_unless_the_user_has_chosen() -> None:
    pages = 20 * 40_000_000 / 4096

    def faults(**environment: str) -> int:
        clean = {k: v for k, v in machine.os.environ.items() if k not in machine.MALLOC_SETTINGS}
        found = subprocess.run(
            [sys.executable, "-c", FAULTS], env=clean | environment, capture_output=True, text=True, check=True
        )
        return int(found.stdout)

    assert faults() < pages / 20
    assert faults(MALLOC_TRIM_THRESHOLD_="100000") > pages / 2


@pytest.mark.skipif(sys.platform != "linux", reason="torch comes with GNU's OpenMP on Linux")
@pytest.mark.parametrize(
    ("chosen", "spins"),
    [({}, f"'{machine.SPINS}'"), ({"GOMP_SPINCOUNT": "77"}, "'77'"), ({"OMP_WAIT_POLICY": "passive"}, "'0'")],
)
def test_threads_that_wait_leave_their_cores_soon_unless_the_user_has_chosen(
    chosen: dict[str, str], spins: str
) -> None:
    code = "from shopguide.machine import prepare_process as p; p(); import torch"
    environment = {k: v for k, v in machine.os.environ.items() if k not in machine.WAITING} | chosen
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment | {"OMP_DISPLAY_ENV": "verbose"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"GOMP_SPINCOUNT = {spins}" in done.stderr


@pytest.mark.parametrize(
    ("line", "native", "vectors"),
    [
        ("flags\t\t: fpu avx2 avx512_bf16", True, True),
        ("flags\t\t: fpu avx512_bf16 amx_bf16 amx_tile", True, False),
        ("Features\t: fp asimd bf16", True, False),
        ("flags\t\t: fpu avx2 avx512f", False, False),
        ("", False, False),
    ],
)
def test_half_precision_is_native_where_the_processor_says_so(
    line: str, native: bool, vectors: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    assert not native_bf16()
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\n{line}\n", encoding="utf-8")
    assert native_bf16() is native
    assert bf16_in_vectors_only() is vectors
