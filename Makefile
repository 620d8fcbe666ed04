# The whole developer manual. Everything happens in .venv, made here and nowhere else.
#
#   make demo         a judged synthetic release made from the bundled real patients (installs what it needs)
#   make demo-images  chest X-rays that show nobody, learned in minutes, with a gallery (installs PyTorch, too)
#   make setup        .venv with all extras and the developers' tools
#   make test         every test            make test-quick   without the slow ones
#   make check        formatting, lint, types, who may import whom
#   make fix          format and mend what can be mended without thinking
#   make benchmark    the numbers of benchmarks/RESULTS.md
#   make lock         pin requirements/*.txt anew from pyproject.toml
#   make clean        remove .venv and everything made

VENV := .venv
BIN := $(VENV)/bin
CODE := src tests benchmarks
# Two workers on two cores: the libraries' own threads would only fight each other.
PYTEST := OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help demo demo-images setup test test-quick check fix benchmark lock clean core dev

help:
	@sed -n 's/^#   //p' Makefile

demo: core
	@$(BIN)/semblance demo

demo-images: dev
	@$(BIN)/semblance demo --images

setup: dev
	@echo "$(VENV) is ready; activate it with: source $(BIN)/activate"

test: dev
	@$(PYTEST)

test-quick: dev
	@$(PYTEST) -m "not slow"

check: dev
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: dev
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

benchmark: dev
	$(BIN)/python -m benchmarks

COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --all-build-deps --allow-unsafe \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links
lock: dev
	$(COMPILE) --output-file=requirements/core.txt pyproject.toml
	$(COMPILE) --all-extras --constraint=requirements/core.txt --output-file=requirements/dev.txt pyproject.toml

clean:
	rm -rf $(VENV) .venv-judge .venv-peers .venv-phantom benchmarks/.cache build dist .pytest_cache .hypothesis .ruff_cache .mypy_cache .import_linter_cache semblance-demo semblance-demo-images semblance-demo-images.gallery
	rm -rf src/*.egg-info
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# ── the environment ──────────────────────────────────────────────────────────────────────────────────────────────────
# A stamp in .venv holds the very lock it was installed from: nothing is installed twice, any change is noticed.

PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
HAS = cat pyproject.toml requirements/$(1).txt | cmp -s - $(VENV)/.$(1)
INSTALL = { echo "installing pinned dependencies into $(VENV), once" \
	&& $(PIP) install --require-hashes -r requirements/$(1).txt \
	&& $(PIP) install --no-deps --no-build-isolation -e . \
	&& cat pyproject.toml requirements/$(1).txt > $(VENV)/.$(1); }

core: $(BIN)/python
	@$(call HAS,core) || $(call HAS,dev) || $(call INSTALL,core)
	@$(OPENMP)

dev: $(BIN)/python
	@$(call HAS,dev) || $(call INSTALL,dev)
	@$(OPENMP)

# LightGBM wants the system's OpenMP library, which slim images lack: better said now than half-way.
LOAD := import ctypes, importlib.util as i, pathlib; \
	ctypes.CDLL(next(pathlib.Path(i.find_spec("lightgbm").origin).parent.rglob("lib_lightgbm.*")))
OPENMP := $(BIN)/python -c '$(LOAD)' 2>/dev/null || { echo "LightGBM needs the OpenMP library; install it with \
	'apt-get install libgomp1' (Debian, Ubuntu), 'dnf install libgomp' (Fedora) or 'brew install libomp' (macOS)." \
	| tr -s '\t ' ' ' >&2; exit 1; }

$(BIN)/python:
	@for python in python3 python3.13 python3.12 python3.11; do \
		$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		if $$python -c 'import ensurepip, venv' 2>/dev/null; then exec $$python -m venv $(VENV); fi; \
		echo "$$python lacks its venv module; install it with 'apt-get install python3-venv'." >&2; exit 1; \
	done; \
	echo "Semblance needs Python 3.11 or newer; none is found as python3, python3.13, 3.12 or 3.11." >&2; exit 1
