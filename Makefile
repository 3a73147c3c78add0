# The developer's and the new user's interface; each target says what it does: make help
.DEFAULT_GOAL := help
SHELL := /bin/sh
BIN := .venv/bin

# Test processes: one per core; JOBS=0 runs the tests one after another in one process, for a debugger.
JOBS ?= auto

# The first Python of at least 3.11; PYTHON=/path/to/python overrides.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)

.PHONY: help run cluster test test-cluster check format lock migration messages bench clean distclean need-python

help: ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

need-python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || { \
		echo "make: OutSmart Sync needs Python 3.11 or newer, and none was found. Install one, or run: make PYTHON=/path/to/python3.11 ..." >&2; \
		exit 1; }

run: need-python ## Install, start everything on the sandbox, sync once, keep the Airflow UI up (ARGS=--once: stop after the sync)
	@"$(PYTHON)" scripts/bootstrap.py run
	@exec $(BIN)/python scripts/quickstart.py $(ARGS)

cluster: need-python ## All of it on three workers, as plain processes on the sandbox; needs redis-server (ARGS=--stay: keep it up)
	@"$(PYTHON)" scripts/bootstrap.py run
	@exec $(BIN)/python scripts/try_cluster.py $(ARGS)

test: need-python ## Install what the tests need and run them (ARGS='-k name': some of them)
	@"$(PYTHON)" scripts/bootstrap.py run
	@exec $(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile $(ARGS)

test-cluster: need-python ## Three workers, and what happens when parts go down; needs redis-server and the machine to itself
	@"$(PYTHON)" scripts/bootstrap.py run
	@OUTSMART_SYNC_CLUSTER=1 exec $(BIN)/python -m pytest --numprocesses 0 tests/deploy/test_cluster.py $(ARGS)

check: need-python ## Format, lint, types, spelling
	@"$(PYTHON)" scripts/bootstrap.py check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/codespell

format: need-python ## Put the code into its format and mend what can be mended
	@"$(PYTHON)" scripts/bootstrap.py check
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: need-python ## Compile the lock files from pyproject.toml
	@"$(PYTHON)" scripts/bootstrap.py run
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--extra production --extra sandbox --extra test --extra install pyproject.toml --output-file requirements.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --constraints requirements.txt \
		--extra production --extra sandbox --extra test --extra install --extra lint pyproject.toml --output-file requirements-dev.txt

migration: need-python ## Draft the next version of the store's tables (ARGS='what changes')
	@"$(PYTHON)" scripts/bootstrap.py check
	$(BIN)/python scripts/new_migration.py "$(ARGS)"
	$(BIN)/ruff check --fix --quiet include/outsmart_sync/store/migrations
	$(BIN)/ruff format --quiet include/outsmart_sync/store/migrations

messages: need-python ## Bring the page's translations up to date with the sentences in the source
	@"$(PYTHON)" scripts/bootstrap.py run
	$(BIN)/python scripts/messages.py

bench: need-python ## Measure, side by side, what the documentation states
	@"$(PYTHON)" scripts/bootstrap.py run
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## Forget the quick start: the sandbox's world, the store, Airflow's home, keys and tokens
	rm -rf .local
	@if head -n 1 .env 2>/dev/null | grep -q '^# Written by .make run.'; then echo "rm -f .env"; rm -f .env; \
	elif [ -e .env ]; then echo "make: .env was not written by make run, and stays: it may be all there is of its keys" >&2; fi

distclean: clean ## Also remove the virtual environment and caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
