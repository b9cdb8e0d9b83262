# Everything a newcomer needs: `make demo` shows the story, `make test` proves it.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo cluster-demo test check format bench texts pictures

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

# Gathers the texts of the pages, and compiles their translations.
TEXTS = src/passport_lti/translations
texts: $(VENV)/.dev
	@$(BIN)/pybabel -q extract -F $(TEXTS)/babel.cfg -k N_ -k lazy_gettext --no-location --omit-header --no-wrap -o $(TEXTS)/texts.pot src/passport_lti
	@$(BIN)/pybabel -q update -i $(TEXTS)/texts.pot -d $(TEXTS) --no-fuzzy-matching --no-wrap --ignore-obsolete --ignore-pot-creation-date
	@$(BIN)/pybabel -q compile -d $(TEXTS)
	@rm $(TEXTS)/texts.pot

# PostgreSQL, Redis and two of each process, of which one is killed while it syncs.
cluster-demo: $(VENV)/.dev
	@$(BIN)/python -m benchmarks.cluster demo $(ARGS)

# Takes the pictures of docs/ from the practice servers.
pictures: $(VENV)/.dev
	@PYTHONPATH=tests $(BIN)/python -m browser.pictures

bench: $(VENV)/.dev
	@$(BIN)/python -m benchmarks $(ARGS)

$(VENV)/bin/python:
	@echo "making $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.product: setup.cfg pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing Passport LTI into $(VENV) (once)"
	@$(INSTALL) -e ".[practice]"
	@touch $@

$(VENV)/.dev: setup.cfg pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "installing Passport LTI and its test tools into $(VENV) (once)"
	@$(INSTALL) -e ".[dev]"
	@touch $@ $(VENV)/.product
