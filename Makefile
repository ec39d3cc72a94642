# Each target is a line or two; what they call is in roles/, deploys/ and tests/.
NEXUS_ENV ?= lab
# A distribution's own Python is built with profile-guided optimisation, one from pyenv is not: a third more for each run.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo /usr/bin/python3 || echo python3)
export NEXUS_ENV
BIN := .venv/bin
AS_ROOT := $(shell test "$$(id -u)" = 0 || echo sudo -E)
REPORTS := --junitxml=reports/$(NEXUS_ENV).xml --html=reports/$(NEXUS_ENV).html --self-contained-html

.PHONY: help deploy provision test verify drift lint scenarios bench architecture lab-up lab-down lab-status catalogue secrets secrets-edit secrets-status clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 16

deploy: provision ## the whole platform on NEXUS_ENV (lab when not set)
	$(BIN)/pyinfra inventory deploys/full.py -y

provision: .venv/ready ## the hosts of NEXUS_ENV
	$(BIN)/pyinfra @local deploys/provision.py -y

test: .venv/ready lint ## everything that can be tested on this machine, lab included
	$(AS_ROOT) tests/tools.sh
	$(BIN)/pytest tests/library tests/plan -q -n 2 --random-order
	$(AS_ROOT) $(BIN)/pytest tests/scenarios tests/hosts --lab --durations 15 $(REPORTS)

verify: .venv/ready ## testinfra on the hosts of NEXUS_ENV as they are
	$(BIN)/pytest tests/hosts -q $(REPORTS)

drift: .venv/ready ## what differs from the plan on the hosts of NEXUS_ENV, as text, JSON and a page
	$(BIN)/pyinfra inventory deploys/drift.py

scenarios: .venv/ready ## the plan tests three times in random order, then the scenarios in full
	$(AS_ROOT) tests/tools.sh
	for run in 1 2 3; do $(BIN)/pytest tests/library tests/plan -q -n 4 --random-order || exit 1; done
	$(AS_ROOT) $(BIN)/pytest tests/scenarios --lab --full $(REPORTS)

bench: .venv/bench ## what runs cost: beside Ansible, Mitogen and plain pyinfra, and against targets
	$(AS_ROOT) $(BIN)/python -m benchmarks all

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini
	$(BIN)/lint-imports --no-cache
	$(BIN)/python docs/architecture.py --check
	$(BIN)/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml

architecture: .venv/ready ## the picture of the code in docs/architecture.md, drawn from its imports
	$(BIN)/python docs/architecture.py

lab-up: .venv/ready ## the lab's hosts, bare
	$(BIN)/python -m nexus.provider.lab up $(NEXUS_ENV)

lab-down: .venv/ready ## stop and remove everything of the lab, nothing else
	$(BIN)/python -m nexus.provider.lab down

lab-status: .venv/ready ## hosts of the lab and how they are
	$(BIN)/python -m nexus.provider.lab status

catalogue: .venv/ready ## services and capacity of NEXUS_ENV as a table
	$(BIN)/python -m runbooks.catalogue $(NEXUS_ENV)

secrets: .venv/ready ## make the secrets of NEXUS_ENV that are missing, encrypt for who may read them
	$(BIN)/python -m runbooks.secret.fill $(NEXUS_ENV)

secrets-edit: .venv/ready ## the secrets of NEXUS_ENV in an editor
	@$(BIN)/python -m runbooks.secret.edit $(NEXUS_ENV)

secrets-status: .venv/ready ## who can read the secrets of NEXUS_ENV, their age, what has to be changed
	@$(BIN)/python -m runbooks.secret $(NEXUS_ENV)

.venv/ready: pyproject.toml constraints.txt nexus/cli/place.py
	$(PYTHON) -m venv .venv || { $(AS_ROOT) apt-get update -q && $(AS_ROOT) apt-get install -y -q python3-venv && $(PYTHON) -m venv .venv; }
	$(BIN)/python -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or newer is needed: make PYTHON=python3.11 ...")'
	$(BIN)/pip install -q -c constraints.txt '.[dev]'
	$(BIN)/python nexus/cli/place.py
	touch $@

.venv/bench: .venv/ready
	$(BIN)/pip install -q -c constraints.txt '.[bench]'
	touch $@

clean: lab-down ## the lab and the virtual environment
	rm -rf .venv reports
