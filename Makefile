# Everything a developer runs. Needs Python 3.11 or later with venv, make and the package registries; `make` alone explains.

PYTHON ?= python3
UV ?= uv
# For pytest, as in: make test TEST_ARGS="-k purity -n 0". Two workers: one starts parts while the other computes.
TEST_ARGS ?= -n 2
# For mutation: some modules instead of all, as in: make mutation MODULES="services.custody.core.instants"
MODULES ?=
# For mutation: a tenth of all changes, as in: make mutation ENDING=7
ENDING ?=
# KAFKA=1: the real stream instead of the table log.
KAFKA ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
MUTATION := .mutation/venv
EXTRAS := embedded kafka broker dev
LOCKS := requirements/boot.txt requirements/runtime.txt $(EXTRAS:%=requirements/%.txt)
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
KAFKA_FLAG := $(if $(filter-out 0,$(KAFKA)),--kafka)

.DEFAULT_GOAL := help
.PHONY: help demo up check test laws mutation bench jars lock lock-jars clean
# Half a virtual environment must not look like a whole one.
.DELETE_ON_ERROR:

help: ## Show this
	@echo "lastintact: who was last to see the parcel intact, and whom the rules then hold liable."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  KAFKA=1      with demo or up: run a real one-node Kafka (its jars, 54 MB, are fetched once)"
	@echo "  TEST_ARGS=   what pytest gets, now: $(TEST_ARGS)"
	@echo "  MODULES=     with mutation: some modules instead of all, by their import names"
	@echo "  ENDING=      with mutation: 7 tries changes 7, 17, 27 and so on of each function, a tenth"
	@echo
	@echo "The first command sets up $(VENV) by itself. Start with: make demo"

demo: $(STAMP) ## Run the main job on real input and print a real answer
	$(BIN)/lastintact demo $(KAFKA_FLAG)

up: $(STAMP) ## Start everything on one port and stay
	$(BIN)/lastintact up $(KAFKA_FLAG)

check: $(STAMP) ## Format, lint, types, import arrows, drift; no tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m schemas.generate --check
	$(BIN)/python -m services.openapi --check

test: check jars ## check, then every test, with a real Postgres and a real Kafka
	$(BIN)/python -m pytest $(TEST_ARGS)

laws: $(STAMP) ## Search, at random and for long, for histories that break the laws of the core
	LASTINTACT_LAWS=search $(BIN)/python -m pytest tests/unit/custody/core tests/unit/naive --timeout 0 $(TEST_ARGS)

mutation: $(MUTATION)/.installed ## Change the pure modules a little, again and again: a test should notice (hours; or MODULES=, ENDING=)
	$(MUTATION)/bin/python -m tests.mutation $(MODULES) $(if $(ENDING),--ending $(ENDING))

bench: $(STAMP) ## Measure; prints each figure beside its floor
	$(BIN)/python -m tests.bench.core
	$(BIN)/python -m tests.bench.histories

# Before the tests, where its progress is seen and no test's time limit runs.
jars: $(STAMP) ## Fetch the Kafka broker's jars into the user's cache
	@$(BIN)/python -m services.parts.jars >/dev/null

# Only files with hashes are installed, and only wheels: nothing is built, so no unlocked build tool is fetched. Our own package is installed
# by the locked hatchling. Each install is --no-deps because each lock is already complete.
$(STAMP): pyproject.toml $(LOCKS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lastintact needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.12")'
	@echo "Setting up $(VENV) (once; a minute or two)"
	@$(PYTHON) -m venv $(VENV) || { echo "No venv module: install it (Debian: apt-get install python3-venv) and try again." >&2; exit 1; }
	$(PIP) install --quiet --require-hashes --no-deps --only-binary :all: $(LOCKS:%=-r %)
	$(PIP) install --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

# No extra but an environment of its own: mutmut wants a newer click than Faust allows. Its versions come last and win.
$(MUTATION)/.installed: requirements/runtime.txt requirements/dev.txt requirements/mutation.txt
	@echo "Setting up $(MUTATION)"
	@$(PYTHON) -m venv $(MUTATION)
	for lock in runtime dev mutation; do $(MUTATION)/bin/python -m pip --disable-pip-version-check --no-input install --quiet --require-hashes --no-deps --only-binary :all: -r requirements/$$lock.txt || exit 1; done
	@touch $@

# One resolution for all extras, then each file under it as a constraint: the same version everywhere. Annotations would name this machine's paths.
LOCK := $(UV) pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate
lock: ## Resolve the newest versions allowed by pyproject.toml into requirements/ (needs uv)
	@command -v $(UV) >/dev/null || { echo "uv is needed to lock: pip install uv, or make lock UV=/path/to/uv" >&2; exit 1; }
	$(LOCK) --upgrade --all-extras pyproject.toml -o requirements/.all
	$(LOCK) --generate-hashes -c requirements/.all pyproject.toml -o requirements/runtime.txt
	for extra in $(EXTRAS); do $(LOCK) --generate-hashes -c requirements/.all --extra $$extra pyproject.toml -o requirements/$$extra.txt || exit 1; done
	printf 'hatchling\neditables\n' | $(LOCK) --generate-hashes -c requirements/.all - -o requirements/boot.txt
	printf 'mutmut>=3.8.1\n' | $(LOCK) --upgrade --generate-hashes - -o requirements/mutation.txt
	rm requirements/.all

lock-jars: $(STAMP) ## Resolve the Kafka broker's jars anew into their lock
	$(BIN)/python -m services.parts.jars --lock

clean: ## Remove what make and the tools made; the user's jar cache stays
	rm -rf $(VENV) .mutation build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find schemas services tests -name __pycache__ -type d -prune -exec rm -rf {} +
