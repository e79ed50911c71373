"""A tiny finished experiment that many tests look at."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.pop("MLFLOW_TRACKING_URI", None)

PATIENCE = 90
"""Seconds."""
TINY = {
    "model_type": "bert",
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 128,
}


def tiny_settings(folder: Path, **changes: Any) -> dict[str, Any]:
    """A whole configuration: a small demo shop, a tiny backbone, one epoch; dotted keys change it."""
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    from shopguide.command_line.command import conf_dir

    settings = {
        "lr": 1e-3,
        "epochs": 1,
        "pretrain.epochs": 1,
        "pretrain.max_length": 32,
        "finetune.max_length": 32,
        "model.vocab_size": 300,
        "data.cache_dir": folder / "cache",
        "data.options": {"products": 150, "behaviours": 300, "seed": 0},
        "tracking.root": folder / "mlruns",
        "tracking.log_every": 1,
        **changes,
    }
    tree = OmegaConf.create()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        tree = compose("train", overrides=["+experiment=mlm_then_ft"])
    OmegaConf.set_struct(tree, False)
    for key, value in settings.items():
        OmegaConf.update(tree, key, str(value) if isinstance(value, Path) else value, merge=False)
    OmegaConf.update(tree, "model.config", TINY, merge=False)
    return OmegaConf.to_container(tree, resolve=True)  # type: ignore[return-value]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests that want a GPU are passed over where none is to be seen."""
    if item.get_closest_marker("gpu"):
        import torch

        if not torch.cuda.is_available():
            pytest.skip("no GPU to be seen")


class Finished:
    """What the tests need to know of it."""

    def __init__(self, folder: Path) -> None:
        from shopguide.checks import parse_config
        from shopguide.experiment.run import run_experiment
        from shopguide.runs.store import open_store

        self.folder = folder
        self.config = parse_config(tiny_settings(folder))
        self.outcome = run_experiment(self.config)
        self.run_id = self.outcome.run_id
        self.store = open_store(None, "shopguide", folder / "mlruns")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    return Finished(tmp_path_factory.mktemp("finished"))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    pytest.importorskip("selenium")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    chromium, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if not chromium or not driver:
        pytest.skip("no Chromium with its driver on this machine")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1700,1000"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    chrome = webdriver.Chrome(options=options, service=Service(driver))
    yield chrome
    chrome.quit()


@contextlib.contextmanager
def served(*words: str) -> Iterator[str]:
    """`mlflow <words>` on a free port: its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", *words, "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    place, deadline = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE
    try:
        while not _answers(place):
            assert time.monotonic() < deadline, f"mlflow {words[0]} did not start"
            time.sleep(0.3)
        yield place
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(20)


def _answers(place: str) -> bool:
    try:
        urllib.request.urlopen(f"{place}/health", timeout=2)
    except OSError:
        return False
    return True
