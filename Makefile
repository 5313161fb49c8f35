# `make help` lists what there is. Everything a target needs is fetched by the target itself.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
# What is compiled is kept, whatever this machine has for others: tests start some hundreds of processes.
unexport PYTHONDONTWRITEBYTECODE

UV := tools/uv
RUN := $(UV) run --frozen
WORKERS ?= 4
NODES ?= 20
GPUS ?= 8
NAME ?= default

.PHONY: help setup demo test test-pure lint audit format bench bench-core lab-build image lab-up lab-down crds golden deflake

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | while IFS='|' read -r name text; do printf '  make %-10s %s\n' "$$name" "$$text"; done

setup: ## The Python environment (.venv)
	@$(UV) sync --frozen --quiet

demo: setup ## A real Kubernetes with 20 nodes of 8 GPUs, control plane, operator, workloads; KEEP=1 leaves it up, CLUSTER=kind uses kind
	@$(RUN) python -m demo $(if $(KEEP),--keep) $(if $(CLUSTER),--cluster $(CLUSTER))

test: setup lab-build ## Every test; ROOM=scheduling only those of one room
	@$(RUN) pytest -n $(WORKERS) --dist loadgroup $(if $(ROOM),$$(find tests -type d -name '$(ROOM)'),) $(ARGS)

test-pure: setup ## The tests that need no cluster
	@$(RUN) pytest -m 'not cluster' -n $(WORKERS) $(ARGS)

lint: setup ## Formatting, ruff, pyright, import rules, and that lock and environment are in step
	@$(UV) lock --check --offline --quiet || { echo "run: tools/uv lock"; exit 1; }
	@$(UV) pip check --quiet
	@$(RUN) ruff format --check --quiet . || { echo "run: make format"; exit 1; }
	@$(RUN) ruff check --quiet .
	@$(RUN) lint-imports --no-logo
	@$(RUN) pyright

audit: setup ## Known vulnerabilities of the locked dependencies; asks osv.dev, so it needs the internet
	@$(UV) audit --frozen --preview-features audit-command

format: setup ## Format and mend what ruff can
	@$(RUN) ruff format --quiet .
	@$(RUN) ruff check --fix --quiet .

bench-core: setup ## The decision core alone, on growing clusters, as JSON
	@$(RUN) python -m bench.core $(ARGS)

bench: setup lab-build ## Throughput, latency, memory and API calls beside plain Jobs, as JSON and a table
	@$(RUN) python -m bench $(ARGS)

lab-build: setup ## Build the lab's Kubernetes (once, about ten minutes on two cores)
	@$(RUN) aliquot-lab build

lab-up: lab-build ## A cluster to play with: NAME, NODES, GPUS
	@$(RUN) aliquot-lab up --name $(NAME) --nodes $(NODES) --gpus $(GPUS)

lab-down: setup ## Take it away again: NAME
	@$(RUN) aliquot-lab down --name $(NAME)

image: setup ## An image of operator, webhook and agent without Docker, as an archive: FILE (aliquot.tar)
	@$(RUN) python -m demo.image $(or $(FILE),aliquot.tar)

crds: setup ## Generate crds/ from the models
	@$(RUN) python -m aliquot.contracts.kinds.crd crds

golden: setup ## Rewrite the golden files; read the diff before you commit it
	@$(RUN) pytest -q tests/core/rendering --update-golden

deflake: setup lab-build ## Run a test again and again: TEST=tests/cluster/… COUNT=20
	@for i in $$(seq $(or $(COUNT),20)); do $(RUN) pytest -q -x $(TEST) || exit 1; done
