# One command for each thing one wants. Everything lands in .venv and in the user's cache; nothing needs root.
#     make demo          a living building, controlled in front of you
#     make help          all the others

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test quick soak check bench bench-chain bench-node healthy fault-matrix hostile outage influxd dashboards lock docs clean

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
ZEN := $(BIN)/zen
READY := $(VENV)/ready
ARGS ?=
# Grafana's component library, for `make dashboards` only.
DRAWING ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/zen-e-ville/boards
JOBS ?= auto
DATA ?= ../shared/data
# What holds the floor plan: imports, names, glossary, and that no kind forgets a place.
WALLS := gateway/tests/walls gateway/tests/site/test_load_kinds.py gateway/tests/site/test_tariff_kinds.py

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with the exact versions of requirements.lock
	@:

# A half-made environment has no stamp and is made again.
$(READY): requirements.lock pyproject.toml
	@python=; \
	for one in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	    if "$$one" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then \
	        python=$$one; break; \
	    fi; \
	done; \
	if [ -z "$$python" ]; then \
	    echo "setup: Python 3.11, 3.12 or 3.13 is needed; here is $$(python3 --version 2>&1 || true)." >&2; \
	    echo "setup: with another one installed: make PYTHON=/path/to/python3.12 setup" >&2; exit 1; \
	fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	    echo "setup: $$python cannot make environments: apt-get install python3-venv (as root)" >&2; exit 1; \
	fi; \
	echo "setup: $$("$$python" --version), into $(VENV); about a minute the first time"; \
	"$$python" -m venv --clear $(VENV); \
	$(BIN)/pip install --disable-pip-version-check --no-input -r requirements.lock \
	    | sed -un 's/^Collecting \([^ ]*\).*/  \1/p'; \
	$(BIN)/pip install --disable-pip-version-check --no-input --quiet --no-deps --editable .; \
	touch $@; \
	echo "setup: done; the command is $(ZEN)"

demo: setup ## house, broker, node and gateway on this machine, with a live table and a page; ARGS="--influx" …
	@$(ZEN) demo $(ARGS)

test: setup ## all tests, on real parts; ARGS="-k node -x" …
	@$(ZEN) parts fetch --if-possible mosquitto micropython influxd
	@$(BIN)/python -m pytest -n $(JOBS) --durations=10 $(ARGS)

quick: setup ## what decides and what plans, and the node as far as CPython runs it: under a minute, for the inner loop
	@$(BIN)/python -m pytest -n logical -q -m "not parts and not slow and not soak" $(ARGS) \
	    gateway/tests/core gateway/tests/planning firmware/tests

soak: setup ## what takes real minutes: ten with a late meter, ten without the database, millions of random messages
	@$(ZEN) parts fetch --if-possible mosquitto micropython influxd
	@$(BIN)/python -m pytest -n $(JOBS) -m soak $(ARGS)

hostile: setup ## a million cycles of hostile buildings, whose limits must hold: ten times as many as in the tests
	@ZEN_HOSTILE_CYCLES=1000000 $(BIN)/python -m pytest -n $(JOBS) -q --timeout 7200 $(ARGS) \
	    gateway/tests/core/control/test_hostile_limits.py

check: setup ## format, lint, types, layers, walls and registries: about a minute
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/python firmware/tests/types_of_the_node.py
	@$(BIN)/lint-imports
	@$(BIN)/python -m pytest -n logical -q $(WALLS)
	@$(BIN)/python -W ignore::DeprecationWarning -m gateway.report.grafana --check

bench: setup ## every bench of docs/benchmarks.md with one configuration, and that page; DATA=… ARGS="--only home"
	@$(ZEN) bench all --data $(DATA) --out build/bench $(ARGS)
	@$(ZEN) bench page --results build/bench

bench-chain: setup ## three minutes of the whole chain, its figures in build/bench-chain.json
	@$(ZEN) parts fetch --if-possible mosquitto micropython
	@mkdir -p build
	@$(ZEN) demo --headless --minutes 3 --json build/bench-chain.json $(ARGS)

bench-node: setup ## code, heap and speed of the node beside its peers, in build/bench-node.json; ARGS="--minutes 6"
	@$(ZEN) parts fetch --if-possible mosquitto micropython
	@$(BIN)/python firmware/tests/bench_node.py $(ARGS)

healthy: setup ## 200 healthy days of decisions without a false alarm: forty times as many as in the tests; some two hours
	@ZEN_HEALTHY_DAYS=200 $(BIN)/python -m pytest -q -n auto gateway/tests/core/control/test_healthy_days.py

outage: setup ## a day without the database at 1 Hz with 20 devices, and 20 kills of gateway and database: half an hour
	@$(ZEN) parts fetch --if-possible influxd
	@$(BIN)/python -m pytest -n0 -q -s -m soak $(ARGS) \
	    gateway/tests/adapters/test_outage.py gateway/tests/adapters/test_kills.py

fault-matrix: setup ## docs/faults.md: every fault of the list tried in virtual time, or where it is tested
	@$(BIN)/python docs/fault_matrix.py

dashboards: setup ## config/grafana/ from the code, then each board drawn for docs/ (npm, chromium, influxd; 450 MB in the cache)
	@$(ZEN) parts fetch --if-possible influxd
	@$(BIN)/python -W ignore::DeprecationWarning -m gateway.report.grafana
	@$(BIN)/python -W ignore::DeprecationWarning -m gateway.tests.report.grafana.draw $(DRAWING) docs

influxd: setup ## a real InfluxDB 2 server: found, copied from its container image, or compiled once (says what it needs)
	@$(ZEN) parts fetch influxd

lock: setup ## requirements.lock from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --no-header --python-version 3.11 \
	    --quiet -o requirements.lock

docs: setup ## the generated tables of docs/
	@$(BIN)/python docs/generate.py

clean: ## everything that was made here; the user's cache stays
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
