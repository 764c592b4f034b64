# The tasks of this project; `make` alone lists them. Each makes its virtual environment from the lock if there is none.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Options for `make demo` and `make test`: make demo ARGS="--tenants 8 --keep"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test drills bench lint format check check-k8s k8s-fixtures lock image clean

help: ## list the tasks
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: $(VENV)/.demo ## see it run: the main job on an AWS embedded in this machine
	$(BIN)/logfanout demo $(ARGS)

test: $(VENV)/.dev ## run the tests
	$(BIN)/python -m pytest --numprocesses auto $(ARGS)

drills: $(VENV)/.dev ## break everything that can break, and write docs/reliability.md's table
	$(BIN)/python -m pytest tests/drills -m drill --drill-table docs/reliability.md $(ARGS)

bench: $(VENV)/.bench ## measure workers beside a stub AWS, and judge them: make bench ARGS="--profile small"
	$(BIN)/python -m bench $(ARGS)

lint: $(VENV)/.dev ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.dev ## put the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: test lint check-k8s ## all that CI runs

check-k8s: $(VENV)/.k8s ## check k8s/: Vector's programs, the manifests, the alerts; needs kubectl and promtool
	$(BIN)/python -m pytest tests/k8s $(ARGS)

k8s-fixtures: $(VENV)/.k8s ## write Vector's own unit tests, and objects for the worker's, from tests/k8s/cases.yaml
	$(BIN)/python -m tests.k8s.vector_tests
	$(BIN)/python -m tests.k8s.objects

# The lock holds hashes and no index address; `dev` is resolved first, since the others are parts of it.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

lock: $(VENV)/.dev ## resolve the dependencies anew: make lock ARGS=--upgrade
	$(LOCK) $(ARGS) --extra demo --extra lambda --group dev pyproject.toml -o requirements/dev.txt
	$(LOCK) -c requirements/dev.txt --extra demo --group build pyproject.toml -o requirements/demo.txt
	$(LOCK) -c requirements/dev.txt --extra lambda pyproject.toml -o requirements/run.txt
	$(LOCK) -c requirements/dev.txt --group build -o requirements/build.txt
	$(LOCK) -c requirements/dev.txt --extra demo --group k8s pyproject.toml -o requirements/k8s.txt
	$(LOCK) -c requirements/dev.txt --group bench pyproject.toml -o requirements/bench.txt

image: ## build the container image
	docker build --tag logfanout .

clean: ## remove what was made here
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("logfanout needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.13 $(MAKECMDGOALS)" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

# The build backend comes from the lock too: nothing is installed that has no hash there.
$(VENV)/.%: requirements/%.txt pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@
