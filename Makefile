# Two commands are enough on a fresh machine with Python 3.11+ and make:
#   make run    sets up and starts the sample province
#   make test   sets up and passes the tests
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

# Debian packages of the real servers that the tests talk to.
SERVERS := postgresql mariadb-server postfix dovecot-core dovecot-imapd dovecot-lmtpd openssh-server openssh-client prometheus chromium faketime pflogsumm libreoffice-calc-nogui poppler-utils systemd
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: help
help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'

.PHONY: setup
setup: $(READY) ## make .venv alone

# The lock holds hashes and no index address; build isolation would escape it, so the build tool is in the lock too.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python cannot make virtual environments here: install python3-venv" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	@# Roundup comes as source alone: what builds it is taken out of the lock first.
	@awk '/^[a-z]/ { wanted = /^setuptools==/ } wanted' requirements.lock > .venv/builder.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/builder.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-build-isolation --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

.PHONY: run
run: $(READY) ## set up, and start the sample province: collected, ranked, served until Ctrl-C
	$(BIN)/collector demo

.PHONY: lint
lint: $(READY) ## ruff and mypy
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy

.PHONY: test
test: $(READY) lint ## set up, and pass the tests; long proofs run at 1/20
	$(BIN)/python -m pytest --numprocesses=logical --maxprocesses=4 --dist=loadfile

.PHONY: prove
prove: $(READY) ## the long proofs at full size
	PROVE=1 $(BIN)/python -m pytest -m long

.PHONY: servers
servers: ## install the real servers that the tests talk to (Debian)
	$(AS_ROOT) apt-get update --quiet=2
	$(AS_ROOT) env DEBIAN_FRONTEND=noninteractive apt-get install --quiet=2 --yes --no-install-recommends $(SERVERS)

.PHONY: lock
lock: $(READY) ## write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade --quiet --output-file requirements.lock

.PHONY: readme
readme: $(READY) ## paste the output of a run into README.md anew, and write docs/definitions.md
	$(BIN)/python -m tests.definitions
	$(BIN)/python -m tests.readme

.PHONY: clean
clean: ## remove what was made
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis
