# Every target works from a fresh clone; nothing is written outside it.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
export UV_CACHE_DIR := $(CURDIR)/.cache/uv
export UV_LINK_MODE ?= hardlink
export PLAYWRIGHT_BROWSERS_PATH ?= $(CURDIR)/.cache/playwright

.DEFAULT_GOAL := help
.PHONY: help install run test lint types imports e2e e2e-short faults faults-short simulate properties bench bench-all lock

help:  ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

install: $(STAMP)  ## Make .venv with everything that runs, tests and checks need

$(STAMP): requirements-dev.lock pyproject.toml CHANGELOG.md
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --no-cache-dir --disable-pip-version-check "uv==$(UV_VERSION)"
	@# Compiled now: else the first start, or every start where Python may not write, compiles all of it.
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements-dev.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

run: $(STAMP)  ## Start everything on this machine (ARGS="--port 8001 --no-demo")
	@exec $(BIN)/python manage.py up --tied $(ARGS)

test: $(STAMP)  ## Run the tests: on SQLite, on PostgreSQL with Redis, and in a browser
	@$(BIN)/python -m tests.servers.suite

e2e: $(STAMP)  ## Run the campaigns: killed and frozen processes, whole systems in a browser, on both databases
	@$(BIN)/python -m tests.servers.suite processes-sqlite processes-postgresql e2e-sqlite e2e-postgresql

e2e-short: $(STAMP)  ## Run most of each kind of campaign: worker processes on PostgreSQL, the whole system on SQLite
	@$(BIN)/python -m tests.servers.suite processes-short e2e-short

.PHONY: looks
looks: $(STAMP)  ## Look at every page in Chromium, empty, full and failing: pictures in var/looks, axe-core, widths
	@$(BIN)/python -m pytest -q --timeout 1800 --database $(or $(DATABASE),sqlite) tests/looks

faults: $(STAMP)  ## Run the long campaign of faults on both databases at once (MINUTES=30 SEED=n KEEP=1 writes the report)
	@$(BIN)/python -m tests.faults.campaign.both --minutes $(or $(MINUTES),30) $(if $(SEED),--seed $(SEED)) $(if $(KEEP),--keep)

faults-short: $(STAMP)  ## Run a campaign of half a minute on both databases, then the quick tests of faults
	@$(BIN)/python -m tests.faults.campaign.both --minutes 0.5 $(if $(SEED),--seed $(SEED))
	@for database in sqlite postgresql; do $(BIN)/python -m pytest -q --database $$database tests/faults \
		--ignore=tests/faults/conditions || exit 1; done

.PHONY: test-clients
test-clients: $(STAMP)  ## Test the Python, TypeScript, Go and AG-UI clients against a running server (ONLY="python"; installs Node and Go as root)
	@for pair in node:nodejs npm:npm go:golang-go; do .ci/need $${pair%%:*} $${pair##*:} || exit 1; done
	@$(BIN)/python -m clients.fixtures $(ONLY)

.PHONY: conditions mutants
conditions: $(STAMP)  ## Run workers on full disks, read-only databases, broken code and the like, on both databases (as root)
	@for database in sqlite postgresql; do $(BIN)/python -m pytest -q --timeout 300 --database $$database \
		tests/faults/conditions || exit 1; done

mutants: $(STAMP)  ## Take one safeguard out of the engine at a time, and see that a named test fails
	@$(BIN)/python -m tests.faults.mutants $(if $(ONLY),--only "$(ONLY)")

simulate: $(STAMP)  ## Simulate workers, deaths and lost connections in one process (SEEDS=1-500, SEED=n shows one)
	@$(BIN)/python -m tests.faults.simulation $(if $(SEED),--seed $(SEED) --trace,--seeds $(or $(SEEDS),1-500))

properties: $(STAMP)  ## Try many orders of what can befall a run, on both databases
	@for database in sqlite postgresql; do $(BIN)/python -m pytest -q --timeout 3600 --hypothesis-profile long \
		--database $$database tests/engine/test_durability_machine.py || exit 1; done
	@$(BIN)/python -m pytest -q --timeout 3600 --hypothesis-profile long tests/agui/adapter

bench: $(STAMP)  ## Measure Perdure beside a floor, DBOS and absurd (ARGS="--only steps --quick" for a short look)
	@$(BIN)/python -m benchmarks $(ARGS)

bench-all: $(STAMP)  ## The same, with Celery, Procrastinate and plain django-q2 beside it
	@$(BIN)/python -m benchmarks --peers all $(ARGS)

.PHONY: bench-ui
bench-ui: $(STAMP)  ## Measure the list of runs over 1,000,000 of them (ARGS="--quick" for a short look)
	@$(BIN)/python -m benchmarks --only ui $(ARGS)

.PHONY: bench-page
bench-page: $(STAMP)  ## Measure a run's page in Chromium: 5,000 steps, 50,000 events, 2 MB that stream (ARGS="--only steps --seconds 5")
	@$(BIN)/python -m benchmarks.page $(ARGS)

lint: $(STAMP)  ## Check style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## Check types
	PERDURE_DATA_DIR=.cache/types $(BIN)/mypy

imports: $(STAMP)  ## Check the import contracts and the declared dependencies
	$(BIN)/lint-imports
	$(BIN)/deptry .

UV_VERSION := $(shell sed -n 's/^uv==\([0-9.a-z]*\).*/\1/p' requirements-dev.lock)
COMPILE := $(BIN)/uv pip compile --quiet --no-header --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links pyproject.toml

lock: $(STAMP)  ## Write the lock files again from pyproject.toml
	$(COMPILE) -o requirements.lock
	$(COMPILE) --group dev --constraint requirements.lock -o requirements-dev.lock
