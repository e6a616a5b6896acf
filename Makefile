# Every target sets up what it needs first. `make help` lists them.
.DEFAULT_GOAL := help
.SUFFIXES:
BRIDGE ?= on
ENGINE ?= xray
REQUESTS ?= 20
XRAY_SDK ?= off
OTEL ?= off
STACK ?= TracedPipeline
CDK_FLAGS = --no-notices --no-version-reporting
RUN = scripts/run

help: ## Lists the targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

SET_UP = python=$$(PYTHON="$(PYTHON)" scripts/find-python) && "$$python" -m scripts.setup

setup: ## Installs what all the targets need, at pinned versions.
	@$(SET_UP) dev

base:
	@$(SET_UP)

test-setup:
	@$(SET_UP) dev peers docs

docs-setup:
	@$(SET_UP) docs

demo: base ## Runs the whole pipeline on this machine and draws its trace map [BRIDGE=off] [ENGINE=otel] [REQUESTS=20].
	@$(RUN) python -m harness.demo --bridge "$(BRIDGE)" --engine "$(ENGINE)" --requests "$(REQUESTS)"

local: base ## Runs the local AWS in the foreground and says what to type next; Ctrl-C stops it.
	@$(RUN) python -m harness.foreground

deploy-local: base ## Deploys the reference pipeline to it [APP="python3 examples/fifo.py"].
	@$(RUN) python -m harness.deploy_local --app "$(APP)"

quick: setup ## Checks format and lint and runs the unit tests that start no program and wait for no time to pass: the inner loop.
	@$(RUN) ruff format --check --quiet .
	@$(RUN) ruff check --quiet .
	@$(RUN) python -m pytest -q -n 2 --dist worksteal -m 'not peers and not program and not waits' tests/unit

check: setup ## Checks format, lint, types, dependencies and the synthesized template.
	@$(RUN) python -m scripts.check

test: test-setup ## Runs all the tests; the page of traces in Chromium, which is installed where it can be.
	@$(RUN) python -m scripts.chromium
	@$(RUN) coverage erase
	@$(RUN) coverage run -m pytest -n 3 --dist loadfile --no-loadscope-reorder
	@$(RUN) coverage combine --quiet
	@$(RUN) coverage report
	@$(RUN) python scripts/coverage_floors.py

peers: ## Installs what tests marked `peers` run beside: other libraries, and the oldest CDK.
	@$(SET_UP) dev peers

test-pythons: setup ## Runs unit and synth tests on every supported Python that is found [TESTS="tests/unit"].
	@$(RUN) python -m scripts.pythons $(TESTS)

synth: base ## Synthesizes the reference pipeline to cdk.out; needs no AWS credentials.
	@$(RUN) cdk synth --quiet $(CDK_FLAGS)
	@echo "cdk.out/$(STACK).template.json"

deploy: base ## Deploys the reference pipeline to the AWS account of your shell.
	@$(RUN) python scripts/deploy.py

dist: base ## Builds wheels and sdists in build/dist, checks them, and tries each in an empty environment.
	@$(RUN) python -m scripts.dist

layer: base ## Builds the bridge's layer for SAM and Terraform: build/trace-bridge-layer.zip [XRAY_SDK=on] [OTEL=on].
	@$(RUN) python -m scripts.layer --xray-sdk "$(XRAY_SDK)" --otel "$(OTEL)"

docs: docs-setup ## Builds the docs as a site in build/docs, and checks its links.
	@$(RUN) python -m scripts.site

bench: setup ## Measures what the bridge adds to a message, a step in it, a span and a log line, and the constructs to a synthesis.
	@missed=0; for part in messages steps spans logs synth; do $(RUN) python -m bench.$$part || missed=1; done; exit $$missed

lock: setup ## Resolves the requirement files anew.
	@$(RUN) python scripts/lock.py

clean: ## Removes everything the targets made.
	rm -rf .venv .venv-local .venv-peers .venv-aiobotocore .venv-adot .venv-oldest .venv-docs .setup node_modules build cdk.out .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.DEFAULT:
	@echo "make: there is no target '$@'; make help lists those there are" >&2; exit 2

.PHONY: help setup base peers test-setup docs-setup demo local deploy-local quick check test test-pythons synth deploy dist layer docs bench lock clean
