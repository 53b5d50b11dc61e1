# Every target sets up what it needs: a virtual environment in .venv, the pinned requirements, and
# for the browser a Chromium. Nothing is installed twice: a stamp in .venv remembers.
#
#   make run ARGS="--port 8051"     PYTHON=python3.12 make test     make test PYTEST_ARGS="-k codec"

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
PYTEST_ARGS ?=
PYTHON ?=
# Tests that also run as plain Python, with the compiler off ("-m compiled" ones are left out).
UNCOMPILED ?= tests/engine tests/sources
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

# A Python that is new enough, on standard output; a sentence otherwise.
define FIND_PYTHON
for name in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python); do \
  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
    found=$$name; break; \
  fi; \
done; \
if [ -z "$$found" ]; then \
  echo "Tierscope needs Python 3.11 or newer; tried: $(or $(PYTHON),python3 .. python3.11, python)." \
    "Install it (Debian 12: apt-get install python3 python3-venv) or say PYTHON=/path/to/python3." >&2; \
  exit 1; \
fi; \
if ! "$$found" -c 'import ensurepip, venv' 2>/dev/null; then \
  echo "$$found cannot make virtual environments: apt-get install python3-venv" >&2; \
  exit 1; \
fi
endef

# Debian calls it chromium, others differ; never a download by playwright.
define FIND_CHROMIUM
for name in chromium chromium-browser google-chrome google-chrome-stable; do \
  if command -v "$$name" >/dev/null 2>&1; then exit 0; fi; \
done; \
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then \
  echo "Installing Chromium for the browser tests ..."; \
  apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends chromium >/dev/null && exit 0; \
fi; \
echo "The browser tests need Chromium: install it as root, apt-get install chromium" >&2; \
exit 1
endef

.PHONY: help run test check bench validate screenshots clean chromium
.DEFAULT_GOAL := help

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

run: $(VENV)/.runtime ## start everything and serve the page on http://127.0.0.1:8050
	@exec $(BIN)/python app.py $(ARGS)

test: check chromium ## all checks, then all tests
	@echo "pytest, compiler off: $(UNCOMPILED)"
	@NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest -q -m "not compiled" $(UNCOMPILED)
	@echo "pytest, in a browser, which wants the machine for itself"
	@$(BIN)/python -m pytest -q -m browser $(PYTEST_ARGS) || [ $$? = 5 ]
	@echo "pytest"
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not browser" $(PYTEST_ARGS) || [ $$? = 5 ]

check: $(VENV)/.tests ## lint, format, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: $(VENV)/.runtime ## print speeds; ARGS="--only 'speed_*' --json"
	@exec $(BIN)/python -m tiering bench $(ARGS)

validate: $(VENV)/.runtime ## compare the model with published results: docs/validation.md
	@exec $(BIN)/python -m tiering validate --write docs/validation.md $(ARGS)

screenshots: $(VENV)/.tests chromium ## take docs/screenshots anew
	@exec $(BIN)/python -m tiering.ui.screenshots $(ARGS)

clean: ## remove the virtual environment and all caches in this folder
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

chromium:
	@$(FIND_CHROMIUM)

# The interpreter is a link to a file of any age, so stamps depend on its existence only.
$(BIN)/python:
	@$(FIND_PYTHON); "$$found" -m venv --clear $(VENV)

$(VENV)/.runtime: requirements.txt | $(BIN)/python
	@echo "Installing requirements into $(VENV) (600 MB, half a minute or so) ..."
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.tests: tests/requirements.txt $(VENV)/.runtime
	@echo "Installing what the tests need ..."
	@$(PIP) -r tests/requirements.txt
	@touch $@
