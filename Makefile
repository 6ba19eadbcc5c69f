# Needs git, make and Python 3.11 (or newer). Everything else goes into .venv, at the versions of constraints.txt.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test check bench bench-full bench-scale install clean

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
TORCH := $(shell sed -n 's/^\(torch==[^ ]*\).*/\1/p' constraints.txt)
# test processes; one thread each, so that they do not compete for the same cores
WORKERS ?= logical
PYTEST_ARGS ?=

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)$$/make \1	\2/p' Makefile

demo: $(VENV)/.with-package ## install the package, then the whole path on RDKit's own data, into demo/
	$(BIN)/molmed demo

test: $(VENV)/.with-dev ## install everything, then run the whole test suite (PYTEST_ARGS="-k scaffold" for a part)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

check: $(VENV)/.with-dev ## style, types and import contracts
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

bench: $(VENV)/.with-dev ## speed beside the peers, small sizes, 3 rounds; results in pipelines/results
	for name in s1_featurise s2_train s3_predict s6_start; do $(BIN)/python tests/bench/$$name.py || exit 1; done

bench-full: $(VENV)/.with-dev ## the same at the sizes of the protocol, 5 rounds (an hour)
	for name in s1_featurise s2_train s3_predict s6_start; do $(BIN)/python tests/bench/$$name.py --full --rounds 5 || exit 1; done

bench-scale: $(VENV)/.with-dev ## memory and cost per row of a screen, up to 5,000,000 rows (a quarter of an hour)
	$(BIN)/python tests/bench/s5_scale.py

install: $(VENV)/.with-dev ## only install everything that the other targets need

clean: ## remove what the other targets made, except .venv
	rm -rf demo build dist molmed.egg-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find molmed pipelines tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is written after its step has succeeded, so an interrupted installation is taken up again.
$(VENV)/.made:
	@for python in python3.11 python3; do \
	  if "$$python" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "making $(VENV) with $$("$$python" --version)"; \
	    "$$python" -m venv $(VENV) && touch $@; exit; \
	  fi; \
	done; \
	echo "making $(VENV): found no python3.11 or newer python3 that can make a virtual environment;" \
	     "install Python 3.11 with its venv module (Debian, Ubuntu: python3.11 and python3.11-venv) and run make again." >&2; \
	exit 1

# torch first and alone: constraints.txt says why.
$(VENV)/.with-torch: constraints.txt | $(VENV)/.made
	@echo "installing $(TORCH)"
	@$(PIP) "$(TORCH)"
	@touch $@

$(VENV)/.with-package: pyproject.toml $(VENV)/.with-torch
	@echo "installing molmed and what it needs"
	@$(PIP) -e ".[fast]"
	@touch $@

$(VENV)/.with-dev: $(VENV)/.with-package
	@echo "installing what the tests need"
	@$(PIP) -e '.[dev]'
	@touch $@
