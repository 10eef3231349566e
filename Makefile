# One target, one habit. `make help` lists them. Needs make and Python 3.11 or later; another Python:
# make book PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BOOK_VENV := .venv-book
FLOORS := .venv-floors
NEWEST := .venv-newest
BIN := $(VENV)/bin
REPORTS := _build/reports
CONSTRAINTS ?= constraints.txt
PIP_INSTALL = -m pip install --disable-pip-version-check --quiet --constraint $(CONSTRAINTS)
PYTEST_OPTIONS ?=
PYTEST = $(BIN)/python -m pytest $(PYTEST_OPTIONS)
NOTEBOOKS ?= notebooks
WORKERS ?= 2
# Of the wrong variants that are as recorded, `make test` tries one in so many a day; 1: all.
SAMPLE ?= 5
SIDE_BY_SIDE = --numprocesses=$(WORKERS) --dist=loadfile
NBVAL = -p patient_nbval --nbval --nbval-sanitize-with=tests/nbval.cfg
RECORDER := tests/cuda_record/record_cuda.py
ON_GPU := tests/kernels/on_gpu.py

# Small matrices on many threads are slower than on one, and two test runs share the cores better.
export OMP_NUM_THREADS ?= 1
export PYTHONHASHSEED ?= 0

.DEFAULT_GOAL := help
.NOTPARALLEL:
.DELETE_ON_ERROR:
.PHONY: help book html lab notebooks test lint types unit mutants nbval browser chromium tally \
	test-floors test-newest format bench record-cuda test-gpu bench-gpu clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */\1\t/' \
		| awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

## What readers need ------------------------------------------------------------------------------

book: html  ## build the book, serve it and open it in a browser
	$(BOOK_VENV)/bin/python book/serve.py

html: $(BOOK_VENV)/ready  ## build the book into _build/html and stop
	$(BOOK_VENV)/bin/jupyter-book build --warningiserror --nitpick --keep-going --quiet .
	@echo "The book is in _build/html/index.html"

lab: $(VENV)/ready  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=notebooks

notebooks: $(VENV)/ready  ## execute every notebook and store its outputs (NOTEBOOKS= some)
	$(BIN)/python book/tools/execute.py $(NOTEBOOKS)

## What developers need ---------------------------------------------------------------------------

test: chromium  ## every test: lint, types, unit, peers, mutants, notebooks, built pages
	@rm -rf $(REPORTS)
	@$(MAKE) --no-print-directory $(VENV)/ready
	@echo "== 1 of 6 (5 more to come): lint, types and the direction of imports"
	@$(MAKE) --no-print-directory lint types
	@echo "== 2 of 6 (4 more to come): unit tests, laws, doctests, peers, the house"
	@$(MAKE) --no-print-directory unit
	@echo "== 3 of 6 (3 more to come): wrong variants, each of which a test must catch"
	@$(BIN)/python tests/mutants/run.py --sample $(SAMPLE)
	@echo "== 4 of 6 (2 more to come): every notebook, cell by cell"
	@$(MAKE) --no-print-directory nbval
	@echo "== 5 of 6 (1 more to come): the book, warnings as errors"
	@$(MAKE) --no-print-directory html
	@echo "== 6 of 6 (the last): the built pages in Chromium"
	@$(MAKE) --no-print-directory browser
	@$(MAKE) --no-print-directory tally

lint: $(VENV)/ready  ## ruff and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/ready  ## pyright on the package
	$(BIN)/pyright --pythonpath $(BIN)/python

unit: $(VENV)/ready  ## tests and doctests that need neither a browser nor a notebook
	$(PYTEST) $(SIDE_BY_SIDE) --junitxml=$(REPORTS)/unit.xml --ignore=tests/book --ignore=tests/mutants \
		--ignore=src/roilearn/kernels --doctest-modules tests src

mutants: $(VENV)/ready  ## all deliberately wrong variants against the real tests; records who caught which
	$(BIN)/python tests/mutants/run.py

nbval: $(VENV)/ready  ## run every notebook and compare with its stored outputs
	PYTHONPATH=tests $(PYTEST) $(NBVAL) $(SIDE_BY_SIDE) --junitxml=$(REPORTS)/notebooks.xml notebooks

browser: $(VENV)/ready chromium  ## the built pages (_build/html) in Chromium
	$(PYTEST) $(SIDE_BY_SIDE) --junitxml=$(REPORTS)/pages.xml tests/book

chromium:
	@for name in "$${CHROMIUM:-chromium}" chromium-browser google-chrome; do \
		command -v "$$name" >/dev/null && exit 0; \
	done; \
	echo "The pages are tested in Chromium, which is not on this machine." >&2; \
	echo "Debian, Ubuntu: sudo apt-get install chromium. Elsewhere: CHROMIUM=/path/to/chrome make test" >&2; \
	exit 1

tally:
	@$(BIN)/python tests/house/tally.py $(REPORTS)

format: $(VENV)/ready  ## let ruff mend what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/ready  ## measure against the peers and store the results (some 15 minutes, on a quiet machine)
	env -u OMP_NUM_THREADS $(BIN)/roilearn bench --rounds 3 --output benchmarks/results/cpu.csv
	env -u OMP_NUM_THREADS $(BIN)/roilearn bench --busy 0 1 2 --output benchmarks/results/load.csv
	env -u OMP_NUM_THREADS $(BIN)/roilearn bench --crossover --output benchmarks/results/crossover.csv
	env -u OMP_NUM_THREADS $(BIN)/roilearn bench --curves --rounds 2 --output benchmarks/results/curves.csv
	env -u OMP_NUM_THREADS $(BIN)/roilearn bench --profiles --output benchmarks/results/profiles.csv

record-cuda:  ## record torchvision's CUDA kernels (needs a GPU; PYTHON= any with torch and torchvision)
	$(PYTHON) $(RECORDER)

test-gpu:  ## the kernels on a GPU, against torchvision's (PYTHON= any with torch, torchvision, triton, pytest)
	$(PYTHON) $(ON_GPU) test

bench-gpu:  ## measure the kernels on a GPU and store the results (PYTHON= as for test-gpu)
	$(PYTHON) $(ON_GPU) bench

test-floors: $(FLOORS)/ready  ## the core tests with the oldest supported versions
	$(FLOORS)/bin/python -m pytest tests/reference tests/ops tests/peers

test-newest: $(NEWEST)/ready  ## the core tests and the notebooks with the newest versions that pip offers today
	$(NEWEST)/bin/python -m pytest $(SIDE_BY_SIDE) tests/reference tests/ops tests/peers tests/models
	PYTHONPATH=tests $(NEWEST)/bin/python -m pytest $(NBVAL) $(SIDE_BY_SIDE) notebooks

clean:  ## remove the environments and everything built
	rm -rf $(VENV) $(FLOORS) $(NEWEST) $(BOOK_VENV) _build dist
	find . -name __pycache__ -prune -exec rm -rf {} +

## Environments: made once, brought up to date when what they are made from changes; the newest always

$(BOOK_VENV)/ready: EXTRA := book
$(VENV)/ready: EXTRA := dev
$(FLOORS)/ready: EXTRA := explore,peers,test
$(FLOORS)/ready: CONSTRAINTS = constraints-floors.txt
$(NEWEST)/ready: EXTRA := notebooks,test
$(NEWEST)/ready: CONSTRAINTS = /dev/null
$(NEWEST)/ready: ALSO := nbval pytest-xdist --upgrade --upgrade-strategy eager
.PHONY: $(NEWEST)/ready
$(BOOK_VENV)/ready $(VENV)/ready $(FLOORS)/ready $(NEWEST)/ready: pyproject.toml constraints.txt constraints-floors.txt
	@$(MAKE) --no-print-directory check-python
	@echo "Installing what '$(EXTRA)' needs into $(@D) (book: a minute; dev: some minutes, 6 GB with PyTorch)"
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python $(PIP_INSTALL) --editable '.[$(EXTRA)]' $(ALSO)
	@touch $@

.PHONY: check-python
check-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "roilearn needs Python 3.11 or later; $(PYTHON) is not. Name another one:" >&2; \
		echo "    make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
		echo "$(PYTHON) cannot make virtual environments. Debian, Ubuntu: sudo apt-get install python3-venv" >&2; \
		exit 1; }
