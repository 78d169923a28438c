# Every target builds its own environment in .venv; Python 3.11 or newer, pip and make are all that is needed.
# `make help` lists the targets.

PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := layers/keyway/python:layers/stream_runtime/python:functions:.
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help demo dev test check format bench prices lock clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

.venv/installed: requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

demo: .venv/installed ## The main job on this machine: a hosted-key request streamed, settled and written down
	@$(BIN)/python -m infra.local.demo

dev: .venv/installed ## Keep the whole system up on this machine, until Ctrl-C
	@$(BIN)/python -m infra.local.dev

test: .venv/installed ## Run every test
	$(BIN)/python -m pytest -q -n 2

check: .venv/installed ## Format, lint, types and the import rule
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m infra.prices --check

format: .venv/installed ## Put the code into shape
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: .venv/installed ## CPU of importing, of a request and of a streamed event, beside a bare relay
	@$(BIN)/python -m tests.bench

prices: .venv/installed ## Write the price table anew and list every model's price
	@$(BIN)/python -m infra.prices

lock: .venv/installed ## Write requirements-dev.txt anew from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --quiet -o requirements-dev.txt \
	  --custom-compile-command "make lock"

clean: ## Remove everything that was built
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
