import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from shopguide import evaluate, predict, train
from shopguide.checks import parse_config
from shopguide.command_line.command import Command, conf_dir
from shopguide.command_line.running import _quote, words
from shopguide.command_line.running import run as run_command

MISTAKES = {
    "lrr=3": "lrr: no such setting; did you mean `lr`?",
    "lr=abc": "lr=abc: expected number",
    "lr=-1": "lr=-1: expected greater than 0, found -1",
    "lr=": "lr=: expected a value, found none",
    "cv.folds=1": "cv.folds=1: expected greater than or equal to 2, found 1",
    "lrr=3 lr=1e-4,1e-3 cv.folds=2": "lrr: no such setting; did you mean `lr`?",
    "cv.folds=many": "cv.folds=many: expected integer",
    "cv.refit=true": "cv: choose and refit go with cv.folds=5",
    "cv.folds=2 cv.choose=[seed]": "cv: choose=seed: expected its values in cv.candidates, or seed=<one>,<other>",
    "sweep.dry_run=true": "sweep.dry_run=true: goes with -m",
    "++data.split.fold=3 ++data.split.folds=3": "data.split: fold=3: expected a number below 3",
    "++data.split.fold=3": "data.split: fold and folds: one needs the other; cv.folds=5 sets both",
    "epochs=0": "epochs=0: expected greater than or equal to 1, found 0",
    "seed=1.5": "seed=1.5: expected integer",
    "model=mini_brt": "model=mini_brt: no such choice; did you mean `mini_bert`?",
    "tasks=[need,foo]": "tasks=foo: no such choice (valid: evidence, features, intent, match, need, recommend, ",
    "+experiment=x": "experiment=x: no such choice (valid: choose_lr_epochs, ft_only, guide_demo, mlm_only",
    "trainer.devicess=1": "trainer.devicess: not an argument of pytorch_lightning.Trainer; did you mean `trainer.dev",
    "trainer.max_epochs=1": "trainer.max_epochs: set by the experiment itself",
    "data=files": "data.root: required; set it as data.root=…",
    "data=files data.root=/nope": "data.root=/nope: expected an existing file or folder, found nothing there",
    "model.path=./nope": "model.path=./nope: expected an existing folder or a hub name",
    "model.path=tests": "model.path=tests: expected a Hugging Face folder, found no config.json in it",
    "finetune.monitor=dev/x": "finetune.monitor=dev/x: expected 'auto', 'dev/loss'",
    "sort_by=dev/scor": "sort_by=dev/scor: no such metric of the experiment's run; did you mean `dev/score`?",
    "data.split.fractions=[0.5,0.1,0.1]": "the three fractions must add up to 1, found 0.7",
    "pretrain.masking.strategy=spam": "pretrain.masking.strategy=spam: expected 'token', 'whole_word' or 'span'",
    "tasks.need.depth=0": "tasks.need.depth=0: expected greater than or equal to 1",
    "-m lr=1e-4,abc": "lr=abc: expected number",
    "-m sweep.search=tpe lr=interval(1e-4,abc)": "lr=interval(1e-4,abc): expected interval(<lower>,<higher>), two num",
    "+experiment=mlm_then_ft -m lr=abc,1": "lr=abc: expected number",
    "data.root='a": "the command line cannot be read",
    "resume=": "resume=: expected a run's id, found none",
    "finetune.prompt={words:{a:好}}": "^; other than plain letters go in quotes, as in {a: '好'}",
    "pretrain.masking.entities=[/nope]": "entities=/nope: expected `catalogue` or a file with a phrase a line",
    "tasks.values.negatives=1": "tasks.values.negatives: goes with tasks=[values], which is not chosen",
    "+experiment=guide_demo tasks=[need] tasks.relevance.hard=1": "tasks.relevance.hard: goes with tasks=[relevance]",
    "+experimant=ft_only": "+experimant: no such group of choices; did you mean `experiment`?",
    "++tasks.search.crops=[title]": "tasks.search.crops: goes with tasks=[search], which is not chosen",
    "tasks=[need] +tasks.search.crops=[title]": "tasks.search.crops: goes with tasks=[search], which is not chosen",
    "data=files data.files.root=x": "data.files.root: no such setting",
    "tasks.need.dept=1": "tasks.need.dept: no such setting; did you mean `tasks.need.depth`?",
    "tasks.features.tree=true data.targets=[category]": "features.tree=true: expected the levels of a tree as targets",
    "finetune.prompt={template:x}": "finetune: prompt.template=x: expected [MASK] and, after it, {text}",
    "model=bert_bas": "model=bert_bas: no such choice; did you mean `bert_base_chinese`?",
}


def refuse(arguments: str, main: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    monkeypatch.setattr(sys, "argv", ["shopguide", *arguments.split(" ")])
    with pytest.raises(SystemExit) as stop:
        main()  # type: ignore[operator]
    assert stop.value.code == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert "Traceback" not in told
    return told


@pytest.mark.parametrize("arguments", MISTAKES)
def test_a_mistake_is_told_in_the_users_words(
    arguments: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert MISTAKES[arguments] in refuse(arguments, train.main, monkeypatch, capsys)


def test_all_mistakes_are_told_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    told = refuse("lr=abc seed=x finetune.batch.size=0 data.root=/nope", train.main, monkeypatch, capsys)
    assert told.startswith("error: 4 settings are not valid:")


@pytest.mark.parametrize("own", [True, False])
def test_weights_of_another_shape(
    own: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"")
    shape = {"model_type": "modernbert", "hidden_size": 128} if own else {"model_type": "bert", "hidden_size": 384}
    (tmp_path / "config.json").write_text(json.dumps(shape))
    told = refuse(f"seed=x model.path={tmp_path}", train.main, monkeypatch, capsys)
    assert ("of the shape of model=mini_bert" in told) is not own
    assert "model.path" not in refuse(f"seed=x model=pretrained model.path={tmp_path}", train.main, monkeypatch, capsys)
    assert "of the shape of model=mini_bert" in refuse("model.path=google-bert/x", train.main, monkeypatch, capsys)


def test_a_weightless_model_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.json").write_text("{}")
    told = refuse(f"model.path={tmp_path}", train.main, monkeypatch, capsys)
    assert "expected weights (model.safetensors), found none" in told


@pytest.mark.parametrize(
    ("main", "arguments", "message"),
    [
        (predict.main, "task=need", "give either text='…' or input=<file>"),
        (predict.main, "input=/nope.jsonl", "input=/nope.jsonl: expected a file, found none there"),
        (predict.main, "input=README.md output=a.xlsx", "output=a.xlsx: expected a file ending in .jsonl"),
        (predict.main, "input=README.md output=/proc/a.jsonl", "output=/proc/a.jsonl: nothing can be written there"),
        (predict.main, "input=README.md", "input=README.md: expected a file ending in .jsonl"),
        (predict.main, "txt=a", "txt: no such setting; did you mean `text`?"),
        (evaluate.main, "split=tset", "split=tset: expected 'train', 'dev', 'test' or 'all'"),
        (evaluate.main, "data.root=/tmp", "data.root: goes with data=<name>, which is not given"),
        (evaluate.main, "data=files data.root=/nope", "data.root=/nope: expected an existing file or folder"),
    ],
)
def test_the_other_commands(
    main: object, arguments: str, message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in refuse(arguments, main, monkeypatch, capsys)


@pytest.mark.parametrize("arguments", ["--help", "lr=abc", "data=files data.root=/nope", "data=files data.root={shop}"])
def test_quick_and_without_the_heavy_libraries(arguments: str, tmp_path: Path) -> None:
    (tmp_path / "products.jsonl").write_text('{"item_id": "I1"}\n')
    begun = time.perf_counter()
    typed = arguments.format(shop=tmp_path).split()
    command = [sys.executable, "-X", "importtime", "-m", "shopguide.train", *typed]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert time.perf_counter() - begun < 10
    assert done.returncode == (0 if arguments == "--help" else 2)
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "shopguide.config" in imported
    assert not imported & {"torch", "transformers", "mlflow", "pytorch_lightning", "datasets"}


@pytest.mark.parametrize(
    "text", ["红色, size 42", "it's", "a\\'b", "x=1", "[a", "${lr}", "50% off!", "back\\", '"quoted"', "  two  "]
)
def test_free_text_arrives_to_the_letter(text: str) -> None:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    command = Command("predict", lambda values: values, lambda config: None, free_text=frozenset({"text"}))
    (parsed,) = OverridesParser.create().parse_overrides([_quote(f"text={text}", command)])
    assert parsed.value() == text


def test_the_settings_are_composed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from hydra._internal.config_loader_impl import ConfigLoaderImpl
    from hydra.core.hydra_config import HydraConfig

    loaded, told = [], []
    load = ConfigLoaderImpl.load_configuration
    monkeypatch.setattr(
        ConfigLoaderImpl, "load_configuration", lambda *given, **named: (loaded.append(1), load(*given, **named))[1]
    )
    monkeypatch.setattr("sys.argv", ["train"])

    def job(config: Any) -> None:
        told.append((config.lr, HydraConfig.get().overrides.task, HydraConfig.get().mode.name))

    typed = ["experiment=mlm_only", "lr=1e-3", "trainer.devices=1"]
    command = Command("train", parse_config, job, open_keys=train.OPEN_KEYS, expand=train.expand)
    run_command(command, typed)
    assert len(loaded) == 1
    assert told == [(1e-3, ["+experiment=mlm_only", "lr=1e-3", "++trainer.devices=1"], "RUN")]
    run_command(command, [*typed, f"hydra.run.dir={tmp_path}/of_hydra", "hydra.output_subdir=own"])
    assert len(told) == 2
    assert "lr: 0.001" in (tmp_path / "of_hydra/own/config.yaml").read_text(encoding="utf-8")


def test_a_mode_of_hydra_is_its_own_affair(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from hydra.core.hydra_config import HydraConfig

    told = []
    monkeypatch.setattr("sys.argv", ["predict"])
    command = Command("predict", lambda values: values, lambda _config: told.append(HydraConfig.get().mode.name))
    run_command(command, ["text=boots", "hydra.mode=MULTIRUN", f"hydra.sweep.dir={tmp_path}"])
    assert told == ["MULTIRUN"]


def test_every_choice_composes() -> None:
    from hydra import compose, initialize_config_dir
    from omegaconf import OmegaConf

    root = str(Path(__file__).parents[1])
    choices = [
        (group.name, file.stem) for group in conf_dir().iterdir() if group.is_dir() for file in group.glob("*.yaml")
    ]
    assert len(choices) >= 20
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        for group, name in choices:
            plus = "+" if group == "experiment" else ""
            overrides = [f"{plus}{group}={f'[{name}]' if group == 'tasks' else name}"]
            overrides += [f"data.root={root}"] if group == "data" and name != "demo" else []
            values = OmegaConf.to_container(compose("train", overrides=overrides), resolve=True)
            config = parse_config(values)  # type: ignore[arg-type]
            chosen = {"data": config.data.name, "model": config.model.name, "experiment": config.name}
            assert chosen.get(group, name) == name
            assert config.optimizer.lr == config.lr
            assert config.finetune.epochs == config.epochs


def test_an_interrupt_that_a_library_made_an_error_of_is_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def job(_config: object) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise RuntimeError("Error calling __set_name__") from error

    monkeypatch.setattr("sys.argv", ["predict"])
    with pytest.raises(SystemExit) as stopped:
        run_command(Command("predict", lambda settings: settings, job), ["text=boots"])
    assert stopped.value.code == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def test_a_cross_validation_is_a_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    command = Command("train", train.parse_config, train.train, open_keys=train.OPEN_KEYS, expand=train.expand)
    folds = ["++data.split.folds=5", "++data.split.fold=range(5)"]
    assert words(command, ["lr=1e-4"]) == ["lr=1e-4"]
    assert words(command, ["lr=1e-4,1e-3", "cv.folds=5"]) == ["-m", "lr=1e-4,1e-3", "cv.folds=5", *folds]
    typed = ["experiment=choose_lr_epochs", "lr=1e-4", "trainer.devices=1"]
    chosen = ["-m", "+experiment=choose_lr_epochs", "lr=1e-4", "++trainer.devices=1"]
    assert words(command, typed) == [*chosen, "epochs=2,5,10", *folds]
    own = words(command, ["experiment=choose_lr_epochs", "model=minilm"])
    assert own[3:5] == ["lr=2e-05,5e-05,0.0001", "epochs=1,2,4"]
    monkeypatch.setenv(train.SWEEP, "id:lr")
    job = ["cv.folds=5", *folds[:1], "++data.split.fold=0"]
    assert words(command, job) == job, "a job of it is not a sweep of its own"
