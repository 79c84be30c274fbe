# `make demo` and `make test` each do all the set-up; re-runs are quick.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NEEDED := import sys; sys.exit(sys.version_info < (3, 11))

.PHONY: setup demo test test-slow lint docs bench netlists ngspice gf180mcu sky130 clean
.DELETE_ON_ERROR:

setup: ngspice $(VENV)/.dev gf180mcu sky130

# Finds ngspice or gets it; it answers in a moment where there is one.
ngspice:
	@$(PYTHON) -c '$(NEEDED)' || { echo "error: $(PYTHON) is too old: install Python 3.11 or newer, or set PYTHON."; exit 1; }
	@$(PYTHON) tools/get_ngspice.py

# The models of the open processes; nothing that must work needs them, so their lack is a note.
gf180mcu sky130: $(VENV)/.package
	@$(BIN)/spicesnn pdk add $@ --if-missing || true

$(BIN)/python:
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "error: this Python has no venv: install python3-venv."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.package: pyproject.toml $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.package
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

$(VENV)/.docs: $(VENV)/.package
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]'
	@touch $@

# badcrossbar draws by cairo, which its package source is built against.
$(VENV)/.peers: $(VENV)/.package
	@pkg-config --exists cairo || apt-get install -y -qq libcairo2-dev pkg-config || \
		echo "note: install cairo's headers (Debian: libcairo2-dev) if badcrossbar does not build."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[peers]'
	@touch $@

demo: ngspice $(VENV)/.package gf180mcu
	@out=runs/demo-$$($(BIN)/python -c 'from spicesnn.systems.iris import IrisJob; print(IrisJob().identity)'); \
	if [ -f $$out/config.json ]; then again=--resume; fi; \
	$(BIN)/spicesnn train iris --out $$out $$again

test: setup
	@$(PYTHON) tools/get_ngspice.py --version 39 || echo "note: the tests run on one version of ngspice."
	$(BIN)/python -m pytest -m "not slow"

test-slow: setup
	$(BIN)/python -m pytest -m slow

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.docs
	$(BIN)/python -m mkdocs build --strict --quiet

bench: setup $(VENV)/.peers
	$(BIN)/python benchmarks/driving.py
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/processes.py
	$(BIN)/python benchmarks/cells.py
	$(BIN)/python benchmarks/crossbar.py
	$(BIN)/python benchmarks/iris_study.py
	$(BIN)/python benchmarks/tiers.py
	$(BIN)/python benchmarks/nir_peers.py
	$(BIN)/python benchmarks/nir_map.py

netlists: setup
	$(BIN)/python tools/write_netlists.py

clean:
	rm -rf $(VENV) site build dist .mypy_cache .ruff_cache .pytest_cache
