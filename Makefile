# One word per chore; CI uses the same words. `make help` lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
VENV := .venv
BIN := $(VENV)/bin
PIP_FLAGS := --disable-pip-version-check --no-input --no-compile -qq

export PIP_REQUIRE_VIRTUALENV := 1

.DEFAULT_GOAL := help

help: ## list these chores
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

setup: $(VENV)/.installed ## create .venv with the pinned versions (every other chore does this first)

# The stamp is written last, so a stopped installation is done again, and from nothing where pip was cut short.
$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "medloop needs Python 3.11 or newer, and $(PYTHON) is not: make PYTHON=/path/to/python3.11 setup" >&2; exit 2; }
	@if [ -e $(VENV)/.installing ]; then $(PYTHON) -m venv --clear $(VENV); else $(PYTHON) -m venv $(VENV); fi
	@touch $(VENV)/.installing
	@echo "installing the pinned versions into $(VENV) (some minutes the first time)" >&2
	@$(BIN)/pip install $(PIP_FLAGS) -c constraints.txt -e '.[all,dev]'
	@rm -f $(VENV)/.installing
	@touch $@

.PHONY: help setup
