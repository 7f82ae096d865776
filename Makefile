PYTHON ?= python3
BIN := .venv/bin
# Processes that share the tests, each with one thread.
WORKERS ?= 2
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

.PHONY: install demo test test-all test-docs docs notebooks coverage lint bench clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[all]"
	touch $@

DEMO := $(BIN)/mercuric train custom-cnn --data text-pages --image-size 192 --batch-size 8 --optimizer adamw --learning-rate 0.002 --equal --most 0.75

# The first line compiles the kernels, which happens once on a machine, so that the second doesn't count it.
demo: install
	rm -rf runs/demo runs/demo-kernels
	@$(DEMO) --train-examples 16 --epochs 1 --out runs/demo-kernels > /dev/null
	$(DEMO) --train-examples 320 --epochs 2 --mercury --compare --out runs/demo

# Properties with a third of their draws.
test: install
	$(PYTEST)

# All draws, and the tests of minutes.
test-all: install
	MERCURIC_TEST_ALL=1 MERCURIC_TEST_SLOW=1 $(PYTEST)

# Every code block of README and docs, the notebooks, and the site's links; says how many ran.
test-docs: install
	$(PYTEST) tests/docs tests/test_architecture.py

# The documentation as a folder that needs no server: site/index.html.
docs: install
	$(BIN)/mkdocs build --strict

# The notebooks' outputs anew.
notebooks: install
	OMP_NUM_THREADS=1 $(BIN)/python docs/notebooks/execute.py

coverage: install
	$(PYTEST) --cov=mercuric --cov-report=term:skip-covered --cov-fail-under=90

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install
	$(BIN)/python benchmarks/import_time.py
	$(BIN)/python benchmarks/mcache.py
	$(BIN)/python benchmarks/emulation.py
	$(BIN)/python benchmarks/simulator.py

clean:
	rm -rf .venv runs dist site
