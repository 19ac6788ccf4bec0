# `make run` and `make test` are all one needs to begin with; `make check` is the CI.
PYTHON ?= python3
export TEST_DATABASE_URL
BIN := .venv/bin
# What the checks for production are asked about.
PRODUCTION := DEBUG=false BEHIND_TLS_PROXY=true ALLOWED_HOSTS=rollcall.example.com \
	SECRET_KEY=an-example-for-the-checks-only-0123456789-abcdefghijklmnopqrstuvwxyz
SQLITE := sqlite:///$(CURDIR)/var/rollcall.sqlite3
LANGUAGES := --locale fr --locale de
# Strings of tests and benchmarks are nobody's to translate.
MESSAGES_IGNORE := --ignore 'tests/*' --ignore 'benchmarks/*' --ignore 'var/*' --ignore 'staticfiles/*'

.PHONY: install run serve test test-sqlite test-postgresql fuzz check lint format schema messages bench

install: .venv/installed  ## make .venv with exactly what requirements.lock names
	@:

.venv/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Rollcall needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@echo "Installing into .venv, about a minute the first time ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	@touch $@

run:  ## the demo, on SQLite: everything from an empty clone to a running server
	@$(PYTHON) -m config.serve --check-port
	@$(MAKE) --no-print-directory install
	@$(BIN)/python -m config.serve --demo

serve:  ## migrations, web server and worker on DATABASE_URL
	@$(PYTHON) -m config.serve --check-port
	@$(MAKE) --no-print-directory install
	@$(BIN)/python -m config.serve

test: install  ## the whole suite on SQLite, and on PostgreSQL beside it where TEST_DATABASE_URL names one
ifeq ($(CI),true)
	@command -v "$${CHROMIUM:-chromium}" >/dev/null || (echo "CI must test in a browser too: install chromium" >&2; exit 1)
endif
ifneq ($(TEST_DATABASE_URL),)
	@$(MAKE) --no-print-directory --keep-going -j2 --output-sync=target test-sqlite test-postgresql
else ifeq ($(CI),true)
	@echo "CI must test on PostgreSQL too: set TEST_DATABASE_URL" >&2; exit 1
else
	@$(MAKE) --no-print-directory test-sqlite
	@echo "PostgreSQL was not tested: set TEST_DATABASE_URL=postgres://user@host/database"
endif

test-sqlite: install
	@echo "On SQLite:"
	@DATABASE_URL="$(SQLITE)" $(BIN)/python -m pytest $(ARGS)

test-postgresql: install
	@echo "On PostgreSQL:"
	@DATABASE_URL="$$TEST_DATABASE_URL" $(BIN)/python -m pytest $(ARGS)

fuzz: install  ## hostile input for every operation of the API, for about 15 minutes; more or less by EXAMPLES
	FUZZ_EXAMPLES=$(or $(EXAMPLES),2000) DATABASE_URL="$(SQLITE)" $(BIN)/python -m pytest tests/api/test_schema.py

check: lint test  ## all that CI asks

lint: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/djlint --quiet --lint .
	$(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python manage.py check --fail-level WARNING
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file .venv/openapi.yaml
	@diff -u docs/openapi.yaml .venv/openapi.yaml || (echo "docs/openapi.yaml is out of date: make schema" >&2; exit 1)

format: install  ## format the code, and fix what can be fixed by itself
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: install  ## write docs/openapi.yaml anew
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

messages: install  ## collect the strings to translate, and compile the catalogues (needs gettext)
	$(BIN)/python manage.py makemessages $(LANGUAGES) --no-obsolete --add-location file $(MESSAGES_IGNORE)
	$(BIN)/python manage.py compilemessages $(LANGUAGES) --ignore .venv

bench: install  ## speed on DATABASE_URL; sizes and parts by ARGS="--profiles 1m --only people"
	$(BIN)/python -m benchmarks $(ARGS)
