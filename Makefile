# One word per chore; CI uses the same words. `make help` lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := pip install --disable-pip-version-check --no-input --no-compile -qq
BENCHMARKS ?= $(shell grep -l '^if __name__' benchmarks/*.py)

.DEFAULT_GOAL := help

help: ## list these chores
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(VENV)/.installed ## create .venv with the pinned versions; the chores below do it where needed

pipeline: setup ## the main job: from bundled seeds to a judged release and a translated document
	@$(BIN)/medloop pipeline run --demo configs/starter.en-pt.yaml

test: setup ## all tests
	@$(BIN)/python -m pytest -q

check: setup ## format, lint, types, layers
	@$(BIN)/ruff format --check -q --output-format concise . || { echo "make format puts this right" >&2; exit 1; }
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: setup ## put format and import order right
	@$(BIN)/ruff format -q .
	@$(BIN)/ruff check -q --fix-only .

docs: setup ## write docs/commands.md from the commands' own help
	@$(BIN)/python docs/build_commands.py

bench: setup ## speed and quality beside peers; see docs/results.md
	@for script in $(BENCHMARKS); do echo "== $$script" >&2; $(BIN)/python "$$script" || exit 1; done

light: ## prove that translating works with the light core alone, in under 300 MB
	@PYTHON="$(PYTHON)" bash .ci/light

test-transformers5: ## the tests that touch transformers, on 5.x, in an environment of their own
	@PYTHON="$(PYTHON)" bash .ci/transformers5

serve: setup ## the translation server on loopback, with the starter models
	@$(BIN)/medloop serve

clean: ## remove the environments and caches (never artifacts/)
	rm -rf .venv .venv-light .venv-transformers5 build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# The stamp comes last, so that a stopped installation is done again: from nothing where pip was cut short.
$(VENV)/.installed: pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "medloop needs Python 3.11 or newer, \
	and $(PYTHON) is not: make PYTHON=/path/to/python3.11" >&2; exit 2; }
	@if [ -e $(VENV)/.installing ]; then rm -rf $(VENV); fi
	@"$(PYTHON)" -m venv $(VENV)
	@touch $(VENV)/.installing
	@echo "installing the pinned versions into $(VENV); a few minutes, once" >&2
	@$(BIN)/$(PIP_INSTALL) -c constraints.txt -e '.[all,dev]'
	@mv $(VENV)/.installing $@

.PHONY: help setup pipeline test check format docs bench light test-transformers5 serve clean
