# Each target is a line or two; the code that they call is in roles/, deploys/ and tests/.
NEXUS_ENV ?= lab
# A distribution's own Python is built with profile-guided optimisation; one from pyenv is not, and runs take a third longer.
PYTHON ?= $(shell /usr/bin/python3 -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo /usr/bin/python3 || echo python3)
export NEXUS_ENV
BIN := .venv/bin
AS_ROOT := $(shell test "$$(id -u)" = 0 || echo sudo -E)
# Which quarter of the long scenario files `make test` includes: another one each day.
QUARTER ?= $(shell date +%j)
REPORTS := --junitxml=reports/$(NEXUS_ENV).xml --html=reports/$(NEXUS_ENV).html --self-contained-html

.PHONY: help deploy provision test verify drift report handoff lint lint-workflows scenarios bench architecture messages environment environment-remove lab-up lab-down lab-status catalogue flows kubernetes kubernetes-files compose-files secrets secrets-edit secrets-status clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 20

deploy: provision ## deploy the whole platform to NEXUS_ENV (lab when not set)
	$(BIN)/pyinfra inventory deploys/full.py -y

provision: .venv/ready ## provision the hosts of NEXUS_ENV
	$(BIN)/pyinfra @local deploys/provision.py -y

test: .venv/ready lint ## test everything that this machine can test, including the lab
	$(AS_ROOT) tests/tools.sh
	$(BIN)/pytest tests/library tests/plan -q -n 2 --random-order
	$(AS_ROOT) $(BIN)/pytest tests/scenarios tests/hosts --lab --quarter $(QUARTER) --durations 15 $(REPORTS)

verify: .venv/ready ## check the hosts of NEXUS_ENV as they are, with testinfra
	$(BIN)/pytest tests/hosts -q $(REPORTS)

drift: .venv/ready ## report what differs from the plan on the hosts of NEXUS_ENV, as text, JSON and a page
	$(BIN)/pyinfra inventory deploys/drift.py

report: .venv/ready ## write a page with alerts and the plots of all dashboards of NEXUS_ENV
	$(BIN)/pyinfra inventory deploys/report.py

handoff: .venv/ready ## make the handoff pages and bundles of NEXUS_ENV in dist/, with what its hosts are
	$(BIN)/pyinfra inventory deploys/handoff.py

scenarios: .venv/ready ## run the plan tests three times in random order, then the scenarios in full
	$(AS_ROOT) tests/tools.sh
	for run in 1 2 3; do $(BIN)/pytest tests/library tests/plan -q -n 4 --random-order || exit 1; done
	$(AS_ROOT) $(BIN)/pytest tests/scenarios --lab --full $(REPORTS)

bench: .venv/bench ## measure what runs cost, compared with Ansible, Mitogen, plain pyinfra and the targets
	$(AS_ROOT) $(BIN)/python -m benchmarks all

lint: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check -q .
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini
	$(BIN)/lint-imports --no-cache
	$(BIN)/python docs/architecture.py --check
	$(BIN)/python docs/messages.py --check
	$(BIN)/pytest -q tests/plan/test_words.py
	$(BIN)/check-jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema -q --builtin-schema vendor.github-actions .github/actions/*/action.yml

ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
lint-workflows: ## check the workflows of GitHub with actionlint, where Go is installed; `lint` knows only their schema
	@if command -v go > /dev/null; then go run $(ACTIONLINT) && echo "workflows: no finding"; \
	else echo "workflows: skipped, actionlint needs Go"; fi

architecture: .venv/ready ## draw the picture of the code in docs/architecture.md from its imports
	$(BIN)/python docs/architecture.py

messages: .venv/ready ## list all messages in docs/messages.md, from the code that prints them
	$(BIN)/python docs/messages.py

ARGUMENTS := PROVIDER HOSTS SIZES DOMAIN SSH_USER SSH_KEY SSH_CONFIG SUDO_PASSWORD FINGERPRINTS MONGODB REPLACE
NAMED = $(foreach name,$(1),$(if $(filter command,$(origin $(name))),"$(shell echo $(name) | tr A-Z a-z)=$($(name))"))

environment: .venv/ready ## write inventory and group data of a new environment NEXUS_ENV; asks for what is not given
	@$(BIN)/python -m runbooks.environment $(NEXUS_ENV) $(call NAMED,$(ARGUMENTS))

environment-remove: .venv/ready ## remove the files of NEXUS_ENV; its secrets stay unless SECRETS=yes
	@$(BIN)/python -m runbooks.environment --remove $(NEXUS_ENV) $(call NAMED,CONFIRM SECRETS)

lab-up: .venv/ready ## start the lab's hosts, with nothing deployed
	$(BIN)/python -m nexus.provider.lab up $(NEXUS_ENV)

lab-down: .venv/ready ## stop and remove the lab, and nothing else
	$(BIN)/python -m nexus.provider.lab down

lab-status: .venv/ready ## show the hosts of the lab and their state
	$(BIN)/python -m nexus.provider.lab status

catalogue: .venv/ready ## show services and capacity of NEXUS_ENV as a table
	$(BIN)/python -m runbooks.catalogue $(NEXUS_ENV)

flows: .venv/ready ## show who connects to whom in NEXUS_ENV, as a table and a page in reports/
	$(BIN)/python -m runbooks.flows $(NEXUS_ENV)

kubernetes: .venv/ready ## test deploys/kubernetes.py on a real API server, which is built first: see docs/kubernetes.md
	$(AS_ROOT) tests/tools.sh
	tests/kubernetes/build.sh
	$(AS_ROOT) $(BIN)/pytest tests/kubernetes -q --durations 15

kubernetes-files: .venv/ready ## render NEXUS_ENV for Kubernetes into dist/kubernetes, and check it
	$(BIN)/python -m runbooks.kubernetes $(NEXUS_ENV)

compose-files: .venv/ready ## write the files of Docker Compose, at the sizes of NEXUS_ENV, into dist/compose
	$(BIN)/python -m runbooks.compose $(NEXUS_ENV)

secrets: .venv/ready ## make missing secrets of NEXUS_ENV, and encrypt the file for its recipients
	$(BIN)/python -m runbooks.secret.fill $(NEXUS_ENV)

secrets-edit: .venv/ready ## edit the secrets of NEXUS_ENV
	@$(BIN)/python -m runbooks.secret.edit $(NEXUS_ENV)

secrets-status: .venv/ready ## show who can read the secrets of NEXUS_ENV, their age, and what must be changed
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

clean: lab-down ## remove the lab and the virtual environment
	rm -rf .venv reports dist
