import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shopguide.experiment import slots
from shopguide.experiment.slots import Typed, run_in_slots
from tests.experiment.test_interrupt import ROOT, heed_interrupts

NOTE = "import os, time; print(time.time(), os.environ['OMP_NUM_THREADS'], os.environ['TOLD']); "
SLEEP = """
import time
print("begun", flush=True)
try:
    time.sleep(60)
except KeyboardInterrupt:
    print("kept")
"""
PARENT = f"""
import sys
from pathlib import Path
from shopguide.experiment.slots import Typed, run_in_slots
run_in_slots([Typed("a", [sys.executable, "-c", {SLEEP!r}])], 2, {{}}, Path(sys.argv[1]))
"""


def python(label: str, code: str) -> Typed:
    return Typed(label, [sys.executable, "-c", code])


def test_jobs_run_side_by_side_and_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wait = NOTE + "time.sleep(1); print(time.time())"
    jobs = [
        python("a", wait),
        python("b", wait),
        python("c", NOTE + "raise SystemExit('no room left')"),
        python("d", wait),
    ]
    assert run_in_slots(jobs, 2, {"TOLD": "x"}, tmp_path) == 1
    out, errors = capsys.readouterr()
    assert [line.split(" in ")[0] for line in out.splitlines() if ": done" in line] == [
        f"job {name}: done" for name in ("a", "b", "d")
    ]
    assert errors == f"job c: failed, {tmp_path / '2.log'}: no room left\n"
    noted_by = [noted(tmp_path / f"{number}.log") for number in (0, 1, 3)]
    begun, ended = [times[0] for times in noted_by], [times[-1] for times in noted_by]
    assert max(begun[:2]) < min(ended[:2])  # side by side
    assert begun[2] > min(ended[:2])  # in a slot that was free again


def noted(log: Path) -> list[float]:
    first, *more = log.read_text().splitlines()
    at, threads, told = first.split()
    assert (int(threads) >= 1, told) == (True, "x")
    return [float(at), *map(float, more)]


def begin(folder: Path) -> "subprocess.Popen[str]":
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", PARENT, str(folder)]
    parent = subprocess.Popen(words, env=environment, text=True, stderr=subprocess.PIPE, preexec_fn=heed_interrupts)
    deadline = time.monotonic() + 60
    while not (folder / "0.log").exists() or "begun" not in (folder / "0.log").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return parent


def test_stopped_it_stops_its_jobs(tmp_path: Path) -> None:
    parent = begin(tmp_path)
    parent.send_signal(signal.SIGINT)
    parent.communicate(timeout=30)
    assert (tmp_path / "0.log").read_text() == "begun\nkept\n"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a job outlives a parent that is killed")
def test_killed_it_leaves_no_job_behind(tmp_path: Path) -> None:
    parent = begin(tmp_path)
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    assert children
    parent.kill()
    parent.communicate(timeout=30)
    deadline = time.monotonic() + 30
    while any(alive(pid) for pid in children):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_slots_share_cores_and_gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    found = [slots._share(slot, 3) for slot in range(3)]
    assert [one["OMP_NUM_THREADS"] for one in found] == ["2"] * 3
    assert [one["CUDA_VISIBLE_DEVICES"] for one in found] == ["3", "5", "3"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert "CUDA_VISIBLE_DEVICES" not in slots._share(0, 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    for name in ("0000:01", "0000:02"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(slots, "GPUS", tmp_path)
    assert [slots._share(slot, 2)["CUDA_VISIBLE_DEVICES"] for slot in range(2)] == ["0", "1"]
