# make course | make lab | make test | make clean
# Each sets up its own .venv on first use; a second time does nothing.

PYTHON ?= python3
PROFILE ?= class
# more for `python -m course run`, e.g. make course ARGS="--lesson 02 -p seed=1"
ARGS ?=

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
READY := .venv/.ready

.PHONY: course lab test benchmarks setup clean
.DEFAULT_GOAL := help

.PHONY: help
help:
	@echo "make course      run all lessons (PROFILE=smoke is quicker, ARGS='--lesson 04 -p epochs=3' goes on to the runner)"
	@echo "make lab         open the lessons in JupyterLab"
	@echo "make test        run all tests"
	@echo "make benchmarks  run the benchmark scripts (long; real pictures)"
	@echo "make clean       remove .venv and the results of runs"

setup: $(READY)

# The stamp is written last: an interrupted set-up starts again where it can.
$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v <= (3, 13) else "Python %d.%d is not supported: use 3.11, 3.12 or 3.13, e.g. make course PYTHON=python3.12" % v)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; echo "No virtual environment could be made. On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }
	@echo "Setting up .venv (about two minutes and 3 GB the first time) ..."
	@$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check --editable . || { echo "The set-up did not finish: check the network and the space on the disk, then run make again."; exit 1; }
	@touch $(READY)

course: $(READY)
	@$(BIN)/python -m course run --profile $(PROFILE) $(ARGS)

lab: $(READY)
	@if [ -n "$$COURSE_DATA_DIR" ]; then COURSE_DATA_DIR=$$(cd "$$COURSE_DATA_DIR" && pwd) || exit 1; export COURSE_DATA_DIR; fi; \
	exec $(BIN)/python -m jupyter lab --notebook-dir=notebooks

test: $(READY)
	@$(BIN)/python -m pytest $(ARGS)

benchmarks: $(READY)
	@for script in tests/benchmarks/lesson_*.py; do echo "== $$script"; $(BIN)/python $$script || exit 1; done

clean:
	rm -rf .venv runs build *.egg-info
