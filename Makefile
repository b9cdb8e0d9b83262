# Everything a newcomer needs: `make demo` shows the story, `make test` proves it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check format bench

demo: $(VENV)/.product
	@$(BIN)/passport-lti demo $(ARGS)

test: $(VENV)/.dev
	@$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/.dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python -m pytest $(ARGS)

format: $(VENV)/.dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks $(ARGS)

$(VENV)/bin/python:
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.product: setup.cfg pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing Passport LTI into $(VENV) (once)"
	@$(INSTALL) -e .
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing Passport LTI and its test tools into $(VENV) (once)"
	@$(INSTALL) -e ".[dev]"
	@touch $@ $(VENV)/.product
