# Everything a developer runs. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/sh
.SUFFIXES:

# The first interpreter that is new enough; PYTHON=… chooses another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
BIN := .venv/bin
ENV := .venv/.installed
AWS_ENV := .venv-aws/.installed
WORKERS ?= 2
# Behind a proxy with a certificate of its own, the system knows that certificate and uv does not.
export UV_SYSTEM_CERTS ?= 1

.PHONY: help dev stop demo test lint types check bench replay doctor migrate clean lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

dev: $(ENV) $(AWS_ENV) ## start the whole shop on this machine, until Ctrl-C
	@exec $(BIN)/python -m devstack

stop: $(ENV) ## stop a stack that runs in another terminal
	@exec $(BIN)/python -m devstack stop

demo: $(ENV) $(AWS_ENV) ## put a real shop's morning through the gateway and balance the books
	@exec $(BIN)/commerce demo

check: lint types test ## all that has to be green before a commit

lint: $(ENV) ## style, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(ENV) ## strict types
	$(BIN)/mypy

test: $(ENV) $(AWS_ENV) ## all tests, on real servers; ARGS="-k name" narrows them
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

bench: $(ENV) ## measure first answers and CPU per order on a running stack
	@exec $(BIN)/python -m devstack.bench $(ARGS)

replay: $(ENV) ## replay the histories of a running server against this code
	@exec $(BIN)/commerce replay

doctor: $(ENV) ## check the books of a running stack against their invariants
	@exec $(BIN)/commerce doctor

migrate: $(ENV) ## bring a running stack's database up to this code
	@exec $(BIN)/commerce migrate

clean: ## stop the stack and remove its data
	@if [ -x $(BIN)/python ]; then exec $(BIN)/python -m devstack clean; else rm -rf .devstack; fi

lock: $(ENV) ## resolve the requirements anew and write the lock files
	$(BIN)/uv pip compile $(COMPILE) requirements/uv.in -o requirements/uv.lock
	$(BIN)/uv pip compile $(COMPILE) pyproject.toml -o requirements/runtime.lock
	$(BIN)/uv pip compile $(COMPILE) pyproject.toml --group stack --group dev -o requirements/dev.lock
	$(BIN)/uv pip compile $(COMPILE) requirements/aws-emulator.in -o requirements/aws-emulator.lock

COMPILE := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade --quiet

$(ENV): requirements/uv.lock requirements/dev.lock pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed; none was found (PYTHON=/path/to/python3 sets one)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version 2>&1)"; exit 1; }
	@echo "installing into .venv …"
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --compile-bytecode --require-hashes -r requirements/dev.lock
	@VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(AWS_ENV): requirements/aws-emulator.lock $(ENV)
	@echo "installing the AWS emulator into .venv-aws …"
	@[ -x .venv-aws/bin/python ] || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-aws
	@VIRTUAL_ENV=.venv-aws $(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements/aws-emulator.lock
	@touch $@
