# Everything a person or CI does here; needs Python 3.11 or newer with venv and pip.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.DEFAULT_GOAL := help
.PHONY: help demo test test-all check format peers bench accuracy docs clean

help:  ## Show what can be done
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "chainrule needs Python 3.11 or newer; set PYTHON=…")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $(READY)

demo: $(READY)  ## Learn the price of diamonds: scores beside baselines, a picture, a saved model in demo/
	$(BIN)/python examples/demo.py

# The page is tested in Chromium; where there is none and it cannot be installed, these tests are skipped.
$(VENV)/browser: $(READY)
	@command -v chromium chromium-browser google-chrome >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  echo "There is no Chromium: the page's tests in a browser are skipped."
	@touch $(VENV)/browser

test: $(VENV)/browser  ## Run the tests (minutes)
	$(BIN)/python -m pytest -q -n 2 --dist worksteal

test-all: $(VENV)/browser  ## Run the tests, the long ones too
	$(BIN)/python -m pytest -q -n 2 --dist worksteal -m "long or not long"

check: $(READY)  ## Format, lint, types and floors, as CI does
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@PYTHONIOENCODING=utf-8 $(BIN)/lint-imports

format: $(READY)  ## Format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/peers: $(READY) requirements-benchmarks.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-benchmarks.txt -c requirements.txt
	@touch $(VENV)/peers

peers: $(VENV)/peers  ## Install what the benchmarks compare with

bench: $(VENV)/peers  ## Steps per second beside PyTorch and hand-written JAX; start-up, folds, one-row predict
	$(BIN)/python benchmarks/steps.py
	$(BIN)/python benchmarks/latency.py
	$(BIN)/python benchmarks/watching.py

accuracy: $(VENV)/peers  ## Accuracy and time beside boosted trees and RealMLP on the tables in DATA=FOLDER (hours)
	$(BIN)/python benchmarks/accuracy.py --data $(DATA) --results build/accuracy.jsonl --write docs/accuracy.md

docs: $(READY)  ## Build the tutorial in docs/, whose numbers the library works out
	$(BIN)/python docs/weights_view.py

clean:  ## Remove the environment and what the demo made
	rm -rf $(VENV) demo build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
