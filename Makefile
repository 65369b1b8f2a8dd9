# Everything a developer or an operator starts with. `make help` lists it.

PYTHON ?= python3
BIN := .venv/bin
COMPOSE ?= docker compose
MINUTES ?= 5

PAGES := src/wavepost/web/pages/static
PRETTIER := $(BIN)/deno run --quiet --lock=deno.lock --frozen \
    --allow-read --allow-write --allow-env --allow-sys \
    npm:prettier@3.10.1 --log-level warn --print-width 100 "$(PAGES)/**/*.{js,css}" "!**/vendor/**"

.DEFAULT_GOAL := help
.PHONY: help setup run test bench corpus fuzz load chaos telephony check audit format up down

help:  ## This list
	@sed -n 's/^\([a-z]*\):.*##/\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: .venv/ready  ## Set up .venv with the locked dependencies

.venv/ready: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one: make PYTHON=python3.13 …") if sys.version_info < (3, 11) else 0'
	@$(PYTHON) -m venv .venv || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(grep -o 'uv==[0-9.]*' pyproject.toml)"
	$(BIN)/uv sync --locked --quiet --compile-bytecode
	@touch $@

run: setup  ## Serve on http://127.0.0.1:8000 with SQLite in ./data
	@$(BIN)/wavepost serve

test: setup  ## Every test, on SQLite and PostgreSQL, a few files at once
	$(BIN)/pytest --numprocesses=auto --maxprocesses=4 --dist=loadfile

bench: setup  ## Measure beside lame, ffmpeg, nginx and wrk, 25 minutes; writes docs/performance.md
	$(BIN)/python -m bench

corpus: setup  ## Send the recordings of the folder WAVEPOST_CORPUS to a server, and print what came of each
	@$(BIN)/python -m tests.corpus

fuzz: setup  ## Look for WAVs that break the converter; MINUTES says how long
	@end=$$(($$(date +%s) + 60 * $(MINUTES))); while [ $$(date +%s) -lt $$end ]; do \
	    WAVEPOST_FUZZ_EXAMPLES=600 $(BIN)/pytest -q -x tests/unit/test_fuzz.py || exit 1; \
	done

load: setup  ## Put 200 callers on a server for two minutes, and print how it bore them
	@$(BIN)/python -m tests.load

chaos: setup  ## Kill, fill up and cut off what it runs on, and see whether 201 holds; MINUTES says how long
	@$(BIN)/python -m tests.chaos --minutes $(MINUTES)

telephony: setup  ## Have a real Asterisk record calls and send them, in Docker Compose, and listen to the MP3s
	@COMPOSE="$(COMPOSE)" $(BIN)/python -m tests.telephony

check: setup  ## Format, lint, types, import direction, advisories
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PRETTIER) --check
	$(BIN)/deno lint --quiet --ignore=$(PAGES)/vendor $(PAGES)
	@$(MAKE) --no-print-directory audit

# Not pip-audit: where its data can't be reached, it says so of each package and ends well.
audit: setup  ## Look the locked dependencies up among the known vulnerabilities (osv.dev)
	@$(BIN)/uv audit --locked --quiet --preview-features audit-command || { \
	    status=$$?; [ $$status = 2 ] || exit $$status; echo "Dependencies were not audited."; }

format: setup  ## Rewrite the code in the one format
	$(BIN)/ruff format
	$(BIN)/ruff check --fix
	$(PRETTIER) --write

up:  ## Build and start with PostgreSQL in Docker Compose
	$(COMPOSE) up --build --detach --wait
	@echo "wavepost is up: see 'docker compose ps'. 'make down' stops it and keeps its data."

down:  ## Stop what `make up` started; the data stays
	$(COMPOSE) down
