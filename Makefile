# `make` lists the targets. What takes more than a line is in scripts/.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
export PYTHON CANDIDATE REFERENCE DEVICE ARTIFACT LOCKS

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile
	@echo
	@echo '  make gate takes CANDIDATE=image:tag REFERENCE=image:tag|none DEVICE=cpu|gpu ARGS="--only golden ...";'
	@echo '  without CANDIDATE it gates the reference service of this checkout. It succeeds when the verdict is'
	@echo '  promote. GNU make exits with 2 whatever the failure was; scripts/gate.sh takes the same variables'
	@echo '  and exits with the verdict itself: 0 promote, 2 usage, 3 reject, 4 inconclusive, 5 infrastructure.'
	@echo '  make test takes ARGS for pytest.'

.PHONY: gate
gate: $(STAMP) ## gate a candidate against the reference, write reports/
	@scripts/gate.sh $(ARGS)

.PHONY: image
image: $(STAMP) ## build the reference service's image, write its release record into dist/
	@scripts/image.sh

.PHONY: test
test: $(STAMP) ## every test but the slow ones, containers included
	@scripts/test.sh 'not slow' $(ARGS)

.PHONY: test-all
test-all: $(STAMP) ## every test, properties with ten times the examples
	@scripts/test.sh '' --hypothesis-profile=thorough $(ARGS)

.PHONY: check
check: $(STAMP) ## lint, format, types, workflows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy scripts
	$(BIN)/mypy .github/actions/*/*.py
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/zizmor --offline --no-progress --quiet --persona=auditor .github

.PHONY: engine
engine: ## find a container engine or start a private one; the last line is its DOCKER_HOST
	@scripts/engine.sh start

.PHONY: engine-stop
engine-stop: ## stop the private engine
	@scripts/engine.sh stop

.PHONY: lock
lock: ## resolve requirements/*.lock again
	@scripts/lock.sh

.PHONY: venv
venv: $(STAMP) ## the virtual environment, from requirements/dev.lock

$(STAMP): requirements/dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo 'make: $(PYTHON) is missing or older than Python 3.11; install one, or name it: make PYTHON=python3.12 ...' >&2; exit 1; }
	@echo 'setting up .venv from requirements/dev.lock (a minute or two the first time)' >&2
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv --clear .venv
	@# -qq: pip warns of every unreachable find-links; errors still show
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --require-hashes -r requirements/dev.lock
	@$(BIN)/python -m pip --disable-pip-version-check install -qq --no-deps --no-build-isolation -e .
	@touch $@
