"""What the READMEs tell users to type, typed."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from shopguide import compare, evaluate, export, index, predict, register, reproduce, serve, train
from shopguide.command_line.command import Command
from shopguide.command_line.jobs import check_all
from shopguide.command_line.running import words

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")
COMMANDS = {
    "train": Command(
        *("train", train.parse_config, train.train),
        open_keys=train.OPEN_KEYS,
        expand=train.expand,
        searches=train.searches,
    ),
    "predict": Command("predict", predict.check, predict.predict, free_text=predict.FREE_TEXT),
    "export": Command("export", export.check, export.export, free_text=export.FREE_TEXT),
    "compare": Command("compare", compare.check, compare.compare, free_text=compare.FREE_TEXT),
    "register": Command("register", register.check, register.register),
    "reproduce": Command("reproduce", reproduce.check, reproduce.reproduce),
    "index": Command("index", index.check, index.index, free_text=index.FREE_TEXT, open_keys=index.OPEN_KEYS),
    "serve": Command("serve", serve.check, serve.serve, free_text=serve.FREE_TEXT, open_keys=serve.OPEN_KEYS),
    "evaluate": Command(
        "evaluate", evaluate.check, evaluate.evaluate, free_text=evaluate.FREE_TEXT, open_keys=evaluate.OPEN_KEYS
    ),
}


def blocks(readme: str, language: str) -> list[str]:
    text = (ROOT / readme).read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def typed(readme: str) -> list[list[str]]:
    lines = "\n".join(blocks(readme, "bash")).splitlines()
    return [shlex.split(line, comments=True)[2:] for line in lines if line.startswith("python -m shopguide.")]


@pytest.mark.parametrize("readme", READMES)
def test_every_command_is_valid(readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my_shop").mkdir()
    (tmp_path / "queries.jsonl").write_text("{}")
    (tmp_path / "behaviours.jsonl").write_text("{}")
    commands = typed(readme)
    assert len(commands) >= 5
    for module, *arguments in commands:
        command = COMMANDS[module.removeprefix("shopguide.")]
        full = words(command, arguments)
        grid, _ = check_all(command, full)
        assert (grid is not None) == ("-m" in full)


def test_both_tell_the_same() -> None:
    assert typed(READMES[0]) == typed(READMES[1])
    assert blocks(READMES[0], "python") == blocks(READMES[1], "python")


@pytest.mark.parametrize("readme", READMES)
def test_every_link_leads_somewhere(readme: str) -> None:
    links = re.findall(r"\]\(([^)]+)\)", (ROOT / readme).read_text(encoding="utf-8"))
    assert len(links) >= 4
    for link in links:
        assert link.startswith("http") or (ROOT / link).exists(), link


@pytest.mark.parametrize("source", ["README.md", "notebooks/quickstart.ipynb"])
def test_the_python_example_runs(source: str, tmp_path: Path) -> None:
    if source.endswith(".ipynb"):
        cells = json.loads((ROOT / source).read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    else:
        code = blocks(source, "python")[-1]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'label'" in done.stdout.splitlines()[-1]
    assert (tmp_path / "out" / "need" / "model" / "model.safetensors").is_file()


def test_the_task_of_ones_own_trains_and_answers(tmp_path: Path) -> None:
    """The files and the command of the section, on a small shop."""
    code, yaml = blocks("README.md", "python")[0], blocks("README.md", "yaml")[0]
    for text in (code, yaml):
        path = tmp_path / text.splitlines()[0].removeprefix("# ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert len(code.splitlines()) + len(yaml.splitlines()) <= 40
    (line,) = [line for block in blocks("README.md", "bash") for line in block.splitlines() if "--config-dir" in line]
    path, command = line.split(" ", 1)
    python = {**os.environ, "PYTHONPATH": os.pathsep.join([path.removeprefix("PYTHONPATH="), str(ROOT)])}
    small = ["data.options.products=300", "data.options.behaviours=300", "epochs=1", "finetune.max_length=32"]
    for arguments in ([*shlex.split(command)[1:], *small], ["-m", "shopguide.predict", "text=Red boots"]):
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, env=python, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr[-2000:]
    assert set(json.loads(done.stdout)["posterior"]) == {"cheap", "dear", "usual"}
