# Every target builds its own environment in .venv; Python 3.11 or newer, pip and make are all that is needed.
# `make help` lists the targets.

PYTHON ?= python3
BIN := .venv/bin
export PYTHONPATH := layers/keyway/python:layers/stream_runtime/python:functions:.

.DEFAULT_GOAL := help
.PHONY: help demo dev test test-litellm check format bench prices layers synth deploy sam lock clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

# --no-deps: a lock file is complete. Left to look for itself, pip stumbles over a newer release of what is locked.
.venv/installed: requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@touch $@

demo: .venv/installed ## The main job on this machine: a hosted-key request streamed, settled and written down
	@$(BIN)/python -m infra.local.demo

dev: .venv/installed ## Keep the whole system up on this machine, until Ctrl-C
	@$(BIN)/python -m infra.local.dev

test: .venv/installed ## Run every test but those of test-litellm
	$(BIN)/python -m pytest -q -n 2 --ignore tests/litellm

test-litellm: .venv/installed ## Run the tests behind the real LiteLLM proxy, which is installed under .cache/litellm
	$(BIN)/python -m pytest -q tests/litellm

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

prices: .venv/installed ## Write the price tables anew, as of today (or AS_OF=2026-06-30), and list every model's price
	@$(BIN)/python -m infra.prices $(if $(AS_OF),--as-of $(AS_OF))

LOCK := $(BIN)/uv pip compile --generate-hashes --no-emit-index-url --no-emit-find-links --quiet \
  --custom-compile-command "make lock"

lock: .venv/installed ## Write every lock file anew from pyproject.toml and layers/dependencies/requirements.in
	$(LOCK) pyproject.toml --group dev --universal --python-version 3.11 -o requirements-dev.txt
	$(LOCK) --group infra --universal --python-version 3.11 -c requirements-dev.txt -o requirements-infra.txt
	$(LOCK) --group sam --universal --python-version 3.11 -o requirements-sam.txt
	$(LOCK) --group litellm --universal --python-version 3.11 -o requirements-litellm.txt
	$(LOCK) layers/dependencies/requirements.in -c requirements-dev.txt -o layers/dependencies/requirements.txt \
	  --python-version 3.13 --python-platform aarch64-manylinux_2_28

STAGE ?= dev
OPTIONS ?=
INFRA := .cache/infra/bin
SAM := .cache/sam/bin

.cache/infra/installed: requirements-infra.txt
	$(PYTHON) -m venv .cache/infra
	$(INFRA)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-infra.txt
	@touch $@

.cache/sam/installed: requirements-sam.txt
	$(PYTHON) -m venv .cache/sam
	$(SAM)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-sam.txt
	@touch $@

layers: .venv/installed ## Build the Lambda layers, for arm64 and x86_64, and print their sizes
	@$(BIN)/python -m infra.build arm64 x86_64

# W3005: the CDK itself writes each dependency twice.
synth: .cache/infra/installed ## Write and check the CloudFormation templates (STAGE=dev OPTIONS="shape=managed-instances")
	@$(INFRA)/python -m infra.app stage=$(STAGE) $(OPTIONS)
	@$(INFRA)/cfn-lint --ignore-checks W3005 -- cdk.out/*.template.json
	@echo "cdk.out holds the templates; cdk-nag and cfn-lint have nothing to say against them."

deploy: .cache/infra/installed ## Deploy to the AWS account of your credentials (STAGE=dev OPTIONS="...")
	$(INFRA)/python -m infra.command_line deploy --all --context stage=$(STAGE) $(addprefix --context ,$(OPTIONS))

sam: .venv/installed .cache/infra/installed .cache/sam/installed ## Run the function under `sam local invoke`, where Docker runs
	@$(BIN)/python -m infra.sam

clean: ## Remove everything that was built
	rm -rf .venv .cache cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
