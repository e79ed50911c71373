# Two commands do all the set-up: `make train` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev

.PHONY: install train test check format ui clean

install: $(READY)  ## Make the environment, without training.

train: $(READY)  ## Run the main job on the embedded demo shop: pretrain, fine-tune, evaluate, track.
	$(BIN)/python -m shopguide.train +experiment=mlm_then_ft $(ARGS)

test: $(READY_DEV)  ## Pass all tests that this machine can run.
	$(BIN)/python -m pytest $(ARGS)

check: $(READY_DEV)  ## Linter, formatter, strict type checker, tests.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(MAKE) test

format: $(READY_DEV)  ## Mend what the linter and formatter can mend.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

ui: $(READY)  ## Compare runs in the MLflow UI.
	$(BIN)/mlflow ui --backend-store-uri sqlite:///mlruns/mlflow.db

# torch first: its pinned version has a CPU build; the rest then needs no other. Byte code is made as it is needed.
PIP = $(BIN)/python -m pip install -q --no-compile -c constraints.txt
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) -e '.[serve]'
	touch $@

$(READY_DEV): $(READY)
	$(PIP) -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .cache outputs
