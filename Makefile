PYTHON ?= python3
BIN := .venv/bin
# Processes that share the tests' files, each with one thread.
WORKERS ?= 2

.PHONY: install demo test lint bench clean

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[all]"
	touch $@

demo: install
	rm -rf runs/demo
	$(BIN)/mercuric train vgg13 --data photos --width 0.5 --train-examples 2560 --batch-size 32 --compare --epochs 1 --out runs/demo

test: install
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov=mercuric --cov-report=term:skip-covered --cov-fail-under=90

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: install
	$(BIN)/python benchmarks/mcache.py
	$(BIN)/python benchmarks/emulation.py
	$(BIN)/python benchmarks/simulator.py

clean:
	rm -rf .venv runs dist
