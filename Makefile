# Everything a developer types. `make setup` is called by the others when it is needed.
SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
SERVER_STAMP := $(VENV)/.server-installed
DEMO_STAMP := $(VENV)/.demo-installed
DEV_STAMP := $(VENV)/.dev-installed
UV ?= uv

.PHONY: help setup dev run test check bench timing simulate faults pictures pins

help:
	@echo "make run       a demo on http://127.0.0.1:8000, and an example API behind it"
	@echo "make test      every test, on SQLite and PostgreSQL, in a real browser"
	@echo "make check     formatting, lint, types, import contracts"
	@echo "make bench     the benchmarks, each beside its limit or peer"
	@echo "make timing    whether the time of an answer tells what the answer does not"
	@echo "make setup     .venv with the pinned dependencies"
	@echo "make simulate  the verifier protocol in SEEDS=10000 simulated worlds"
	@echo "make faults    processes killed, stopped and cut off, ROUNDS=20 times on each database"
	@echo "make pictures  the pictures of the documentation, taken anew"
	@echo "make pins      requirements/*.txt, resolved anew"

setup: $(SERVER_STAMP)
	@:

dev: $(DEV_STAMP)
	@:

$(BIN)/python:
	@python=$$(tools/find_python) && echo "Making $(VENV) with $$python" && "$$python" -m venv --clear $(VENV)

$(SERVER_STAMP): requirements/server.txt pyproject.toml | $(BIN)/python
	@echo "Installing requirements/server.txt"
	@$(PIP) install --require-hashes --only-binary :all: -r requirements/server.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# What the example API of `make run` needs, and the server does not.
$(DEMO_STAMP): requirements/demo.txt $(SERVER_STAMP)
	@$(PIP) install --require-hashes --only-binary :all: -r requirements/demo.txt
	@touch $@

$(DEV_STAMP): requirements/dev.txt $(SERVER_STAMP)
	@echo "Installing requirements/dev.txt"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch $@

run: $(DEMO_STAMP)
	@exec $(BIN)/keybearer demo --api examples/people_api

test: dev
	@tools/system_packages
	@tools/npm_packages tests/interop
	@tools/npm_packages bench/peers
	@exec $(BIN)/pytest --numprocesses logical --maxprocesses 4 --dist worksteal

check: dev
	@$(BIN)/ruff format --check --quiet
	@$(BIN)/ruff check --quiet
	@$(BIN)/lint-imports --no-cache > $(VENV)/.contracts || { cat $(VENV)/.contracts; exit 1; }
	@$(BIN)/python tools/lint.py
	@$(BIN)/mypy

bench: dev
	@tools/npm_packages bench/peers
	@exec $(BIN)/python -m bench

timing: dev
	@exec $(BIN)/python -m bench.timing

SEEDS ?= 10000
simulate: dev
	@exec $(BIN)/python -m tests.faults.simulation --seeds $(SEEDS)

ROUNDS ?= 20
faults: dev
	@tools/system_packages --faults
	@exec $(BIN)/python -m tests.faults.processes --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED))

JOURNEY := tests/browser/test_main_journey.py
pictures: dev
	@tools/system_packages
	@exec $(BIN)/pytest --numprocesses 0 --pictures docs/pictures \
		'$(JOURNEY)::test_a_token_is_made_copied_used_and_deleted[sqlite]' \
		'$(JOURNEY)::test_an_app_is_registered_denied_let_in_and_cut_off[sqlite]'

# Pins are renewed with uv , which nothing else here needs:
# `make pins` keeps what still satisfies the .in files; `make pins UPGRADE=--upgrade` takes the newest.
RESOLVE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate $(UPGRADE)
pins:
	$(RESOLVE) --extra server pyproject.toml requirements/build.in --output-file requirements/server.txt
	$(RESOLVE) requirements/demo.in --constraint requirements/server.txt --output-file requirements/demo.txt
	$(RESOLVE) requirements/dev.in --constraint requirements/server.txt --constraint requirements/demo.txt --output-file requirements/dev.txt
