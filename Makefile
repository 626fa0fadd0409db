# Two commands are enough on a fresh machine: `make demo` and `make test`. Only Python 3.11+ is needed beforehand.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.stamp
PORT   ?= 8844

.DEFAULT_GOAL := help
.PHONY: help demo smoke test test-long test-quick lint types walls format lock openapi screenshots bench services vendor clean

help: ## Show the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /|/' | awk -F'|' '{printf "  make %-12s %s\n", $$1, $$2}'

$(BIN)/uv:
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.13,<0.14"

$(STAMP): $(BIN)/uv requirements.lock pyproject.toml openapi/clients/python/pyproject.toml
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable . --editable openapi/clients/python
	@$(BIN)/python -m compileall -q privacyops connectors migrations
	@touch $@

venv: $(STAMP) ## Make or update .venv from requirements.lock

demo: $(STAMP) ## Start the demo shop: SQLite, no server, one link
	@$(BIN)/privacyops demo --port $(PORT)

smoke: $(STAMP) ## Walk the whole journey over HTTP against a demo on a free port
	@$(BIN)/privacyops demo --smoke

services: ## Install what the full test run can use, where that is possible (Debian, root)
	@sh tests/services.sh

test: $(STAMP) services ## Unit, integration on SQLite and PostgreSQL, browser, faults; in less than twenty minutes
	@$(BIN)/python -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "not long"

test-long: $(STAMP) services ## The rest: all on PostgreSQL, a kill at every point, histories of 100,000 operations, new examples; an hour
	@$(BIN)/python -m pytest -q --hypothesis-profile=drawn -m long
	@$(BIN)/python -m pytest -q --hypothesis-profile=drawn tests/property

test-quick: $(STAMP) ## Rules, cryptography, forms and walls, without any server or browser; under a minute
	@$(BIN)/python -m pytest -q -n 2 -m "not long and not slow and not postgres and not browser and not stores and not fault" tests/unit tests/architecture tests/property tests/migrations tests/api

lint: $(STAMP) ## ruff, format check, import walls
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: $(STAMP) ## mypy strict
	@$(BIN)/mypy

format: $(STAMP) ## Format and fix
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: $(BIN)/uv ## Resolve requirements.lock anew (all extras, universal, hashes, no addresses)
	@$(BIN)/uv pip compile pyproject.toml --all-extras --group dev --universal --generate-hashes --python-version 3.11 \
	  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file requirements.lock

openapi: $(STAMP) ## Generate openapi/openapi.json and openapi/problems.md
	@$(BIN)/privacyops openapi --write

screenshots: $(STAMP) ## Take the README's pictures from the demo with a real browser
	@$(BIN)/python -m tests.e2e.screenshots

vendor: ## Copy the third-party browser files again (needs Node; nothing else does)
	@npm ci --ignore-scripts --no-audit --no-fund --silent && npm run --silent vendor

clean: ## Remove the virtual environment and caches
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
