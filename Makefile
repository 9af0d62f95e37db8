# make course | make lab | make check | make test | make site | make clean
# Each sets up its own .venv on first use; a second time does nothing.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

PYTHON ?= python3
PROFILE ?= class
# more for the command behind a target, e.g. make course ARGS="--lesson 02 -p seed=1", make lab ARGS=--allow-root
ARGS ?=
WORKERS ?= 2

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
READY := .venv/.ready

.PHONY: help course lab fresh check test site benchmarks setup clean
.DEFAULT_GOAL := help

help:
	@echo "make course          run all lessons (PROFILE=smoke is quicker, ARGS='--lesson 04 -p epochs=3' goes on to the runner)"
	@echo "make lab             open your copies of the lessons, in work/, in JupyterLab"
	@echo "make fresh LESSON=02 put a clean copy of a lesson beside yours"
	@echo "make check           style, and the tests that start no lesson (about a minute)"
	@echo "make test            run all tests"
	@echo "make site            build the course's web pages in build/site, from the lessons as they are stored"
	@echo "make benchmarks      run the benchmark scripts (long; real pictures)"
	@echo "make clean           remove .venv and the results of runs"

setup: $(READY)

# The stamp is written last: an interrupted set-up starts again where it can.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Python %d.%d is not supported: use 3.11, 3.12 or 3.13, e.g. make course PYTHON=python3.12" % v)'
	@if [ -e .venv ] && [ ! -e .venv/pyvenv.cfg ]; then echo ".venv exists and is not a virtual environment: move it away, then run make again."; exit 1; fi
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "No virtual environment could be made. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "Setting up .venv: 3 GB, two to ten minutes the first time, depending on the network and the disk."
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off --editable . | awk '/^Collecting/ {printf "\r  %d packages found", ++n} /^Installing/ {printf "\n  installing them ...\n"} {fflush()}' \
		|| { echo "The set-up did not finish: check the network and the space on the disk, then run make again."; exit 1; }
	@touch $(READY)

course: $(READY)
	@$(BIN)/python -m course run --profile $(PROFILE) $(ARGS)

lab: $(READY)
	@if [ -n "$$COURSE_DATA_DIR" ]; then COURSE_DATA_DIR=$$(cd "$$COURSE_DATA_DIR" && pwd) || exit 1; export COURSE_DATA_DIR; fi; \
	$(BIN)/python -m course start && \
	exec $(BIN)/python -m jupyter lab --notebook-dir=. --LabApp.default_url=/lab/tree/work/01-how-a-computer-reads-an-image.ipynb $(ARGS)

fresh: $(READY)
	@$(BIN)/python -m course start --fresh $(LESSON)

check: $(READY)
	@$(BIN)/python -m ruff check . && $(BIN)/python -m ruff format --check helpers course tests data
	@$(BIN)/python -m pytest -q -m "not kernel" -n $(WORKERS) --dist worksteal $(ARGS)

test: $(READY)
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

site: $(READY)
	@$(BIN)/python -c 'import myst_nb, sphinx_book_theme' 2>/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[site]'
	@$(BIN)/python -m sphinx -q -W --keep-going -c docs . build/site && echo "Open build/site/index.html"

benchmarks: $(READY)
	@for script in tests/benchmarks/lesson_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv runs build *.egg-info
