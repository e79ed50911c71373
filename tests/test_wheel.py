"""The wheel, installed outside the checkout, brings its configuration along."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


@pytest.mark.parametrize("module", ["train", "predict", "serve"])
def test_help_outside_the_checkout(module: str, unpacked: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(unpacked)}
    done = subprocess.run(
        [sys.executable, "-P", "-m", f"shopguide.{module}", "--help"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert f"python -m shopguide.{module}" in done.stdout
    place = subprocess.run(
        [sys.executable, "-P", "-c", "from shopguide.command_line.command import conf_dir; print(conf_dir())"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(place.stdout.strip()) == unpacked / "shopguide" / "conf"


def test_holds_the_page(unpacked: Path) -> None:
    page = {path.name for path in (unpacked / "shopguide" / "guide" / "page").iterdir()}
    assert page == {path.name for path in (ROOT / "shopguide" / "guide" / "page").iterdir()} >= {"index.html", "app.js"}


def test_holds_every_setting_and_no_test(unpacked: Path) -> None:
    packed = {p.relative_to(unpacked / "shopguide" / "conf") for p in unpacked.glob("shopguide/conf/**/*.yaml")}
    assert packed == {p.relative_to(ROOT / "conf") for p in (ROOT / "conf").glob("**/*.yaml")}
    assert not (unpacked / "tests").exists()
