"""What the READMEs tell users to type, typed."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from shopguide import evaluate, export, predict, train
from shopguide.command_line import Command, _check_all, _flag_first, _quote

ROOT = Path(__file__).parents[1]
READMES = ("README.md", "README.zh-CN.md")
COMMANDS = {
    "train": Command("train", train.parse_config, train.train, open_keys=train.OPEN_KEYS),
    "predict": Command("predict", predict.check, predict.predict, free_text=predict.FREE_TEXT),
    "export": Command("export", export.check, export.export, free_text=export.FREE_TEXT),
    "evaluate": Command("evaluate", evaluate.check, evaluate.evaluate, open_keys=evaluate.OPEN_KEYS),
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
    commands = typed(readme)
    assert len(commands) >= 5
    for module, *arguments in commands:
        command = COMMANDS[module.removeprefix("shopguide.")]
        configs, _ = _check_all(command, _flag_first([_quote(a, command) for a in arguments]))
        assert bool(configs) == ("-m" in arguments)


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
        import json

        cells = json.loads((ROOT / source).read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    else:
        (code,) = blocks(source, "python")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "'label'" in done.stdout.splitlines()[-1]
    assert (tmp_path / "out" / "need" / "model" / "model.safetensors").is_file()
