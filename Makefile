# The tasks of this project; `make` alone lists them. Each makes its virtual environment from the lock if there is none.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What checks deploy/: no dependencies of the project, and some contradict them.
TOOLS := $(VENV)/deploy
# Options for `make demo` and `make test`: make demo ARGS="--tenants 8 --keep"
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test test-long drills bench lint format check check-k8s k8s-fixtures lock image sbom clean \
	check-deploy check-terraform check-customer check-image deploy-readmes plan deploy destroy

help: ## list the tasks
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):.*## (.*)/  make \1\t\2/' | expand -t 24

demo: $(VENV)/.demo ## see it run: the main job on an AWS embedded in this machine
	$(BIN)/logfanout demo $(ARGS)

# Two for each processor: half of what takes time waits for processes it has started.
TEST_PROCESSES ?= $(shell $(PYTHON) -c "import os; print(2 * os.cpu_count())")

test: $(VENV)/.dev ## run the tests
	$(BIN)/python -m pytest --numprocesses $(TEST_PROCESSES) $(ARGS)

test-long: $(VENV)/.dev ## run the tests that `make test` has no time for; the long drills are with `make drills`
	$(BIN)/python -m pytest -m "long and not drill" --numprocesses auto $(ARGS)

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

check: test test-long lint check-k8s check-deploy ## all that CI runs

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
	$(LOCK) $(ARGS) --group deploy -o requirements/deploy.txt
	$(LOCK) $(ARGS) --group image -o requirements/image.txt
	$(LOCK) $(ARGS) --group sbom -o requirements/sbom.txt
	$(LOCK) -c requirements/dev.txt --group bench pyproject.toml -o requirements/bench.txt

check-deploy: check-terraform check-customer check-image ## check all that stands under deploy/

check-terraform: $(VENV)/.dev $(TOOLS)/.done ## check the Terraform: style, tests, policies, and a region made for real
	deploy/checks/check-terraform

deploy-readmes: ## write the tables of inputs and outputs into the modules' READMEs
	$(PYTHON) deploy/checks/module_readmes.py --write

plan: ## see what a region would change: make plan EXAMPLE=full VARS=my.tfvars
deploy: ## apply what was planned: make deploy EXAMPLE=full
destroy: ## unmake it: make destroy EXAMPLE=full VARS=my.tfvars CONFIRM=full
plan deploy destroy:
	@$(MAKE) --no-print-directory --file deploy/Makefile $@

# Which engine: docker, or podman, which takes the same. PLATFORM=linux/arm64 builds for the other architecture.
ENGINE ?= docker
PLATFORM ?=
REVISION := $(shell git rev-parse HEAD 2>/dev/null || echo unknown)

image: ## build the container image: make image ENGINE=podman PLATFORM=linux/arm64
	$(ENGINE) build $(if $(PLATFORM),--platform $(PLATFORM)) --build-arg REVISION=$(REVISION) --tag logfanout .

sbom: ## write build/sbom.cdx.json, the list of what is in the image
	$(ENGINE) build --target sbom --output type=local,dest=build .

check-customer: $(VENV)/.dev $(TOOLS)/.done ## check deploy/customer beyond `make test`: lint, terraform test, apply
	$(TOOLS)/bin/shellcheck deploy/customer/*.sh
	BIN=$(CURDIR)/$(TOOLS)/bin deploy/customer/check.sh
	$(BIN)/python -m pytest tests/deploy/customer -m customer $(ARGS)

check-image: $(VENV)/.dev $(TOOLS)/.done ## build the image without an engine, run it, try compose.yaml; needs root
	$(TOOLS)/bin/hadolint Dockerfile
	$(TOOLS)/bin/shellcheck deploy/image/*.sh deploy/compose/localstack/*
	deploy/image/build.sh
	PATH="$(CURDIR)/$(TOOLS)/bin:$$PATH" $(BIN)/python -m pytest tests/deploy/image -m image $(ARGS)

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

$(TOOLS)/.done: requirements/deploy.txt | $(VENV)/bin/python
	$(BIN)/python -m venv $(TOOLS)
	$(TOOLS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	touch $@
