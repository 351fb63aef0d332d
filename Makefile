# Everything here works on a fresh machine with Python 3.11 or newer and make. `make help` lists it.
PYTHON ?= python3
VENV := .venv
ifneq ($(origin PYTHON),file)
# Named, an interpreter of another version than that of .venv gets an environment of its own.
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
ifeq ($(VERSION),)
$(error PYTHON=$(PYTHON) does not run; name another interpreter)
endif
ifneq ($(wildcard .venv/bin/python),)
ifeq ($(wildcard .venv/bin/python$(VERSION)),)
VENV := .venv-$(VERSION)
endif
endif
endif
BIN := $(VENV)/bin
# What neither measures time nor looks for what others left on this machine.
PARALLEL := tests/unit tests/coordination tests/learning tests/contract tests/differential tests/fuzz tests/simulation tests/crash tests/masking
# Pure code; what takes seconds there is marked `slow`.
QUICK := tests/unit tests/fuzz tests/simulation tests/masking
# Real processes; those that must have the machine to themselves are marked `alone`.
PROCESSES := tests/stack tests/detection tests/system

# .ci/run reads this line too.
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.7

.DEFAULT_GOAL := help
# Every rule that is named like a word is a command, whatever files there are.
.PHONY: $(shell sed -nE 's/^([a-z][a-z.0-9-]*):.*/\1/p' $(firstword $(MAKEFILE_LIST)))

help: ## List what make can do
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.installed ## Run the default suite on the embedded backend; prints the scorecard and its path
	$(BIN)/logquake run $(ARGS)

test: $(VENV)/.installed-dev ## Run the tests; those that need real servers skip unless `make servers` has run
	$(MAKE) test-parallel
	$(MAKE) test-otel-free
	$(MAKE) test-processes
	$(MAKE) test-alone

# The phases of `make test`, each by itself so that .ci/run can time it.
test-parallel: $(VENV)/.installed-dev
	$(BIN)/pytest -n 2 --dist loadfile $(PARALLEL) $(ARGS)

test-processes: $(VENV)/.installed-dev
	$(BIN)/pytest -n 3 -m "not alone" $(PROCESSES) $(ARGS)

test-alone: $(VENV)/.installed-dev
	$(BIN)/pytest -m alone $(PROCESSES) $(ARGS)

# What notices whether OpenTelemetry is there, in an environment of its own that has all packages but those.
OTEL_FREE := $(addprefix tests/unit/logging_system/,handler monitoring/test_events.py monitoring/test_tracing.py records/test_log_record_encoding.py sinks/elasticsearch/test_traced_requests.py) tests/stack/test_without_opentelemetry.py

test-otel-free: $(VENV)/.installed-dev ## Run what notices OpenTelemetry where it is not installed
	$(BIN)/python -m tests.without_opentelemetry $(VENV)-otel-free
	$(VENV)-otel-free/bin/python -m pytest -n 2 --dist loadfile -m "not slow" $(OTEL_FREE) $(ARGS)

prove-watched-otel-free: $(VENV)/.installed-dev ## Run the suite watched where OpenTelemetry is not installed (wants a quiet machine)
	$(BIN)/python -m tests.without_opentelemetry $(VENV)-otel-free
	! $(VENV)-otel-free/bin/python -c "import opentelemetry" 2>/dev/null
	$(VENV)-otel-free/bin/python -m harness.cli.main run --suite watched --stack reference_alerts $(ARGS)

# What .ci/run runs on the newest Python beside the usual one: the pure tests, most of which take milliseconds.
test-newest: $(VENV)/.installed-dev
	$(BIN)/pytest -n 2 --dist loadfile -m "not servers and not slow" tests/unit $(ARGS)

# What the embedded store answers is compared with Elasticsearch on the usual Python, and no Python changes it: here
# its unit tests and all that start it remain.
prove-newest: $(VENV)/.installed-dev ## Run all tests that need no installed server on another Python (PYTHON=python3.13)
	$(BIN)/pytest -n 2 --dist loadfile -m "not servers" --ignore tests/contract/harness/programs/elastic_lite tests/unit tests/contract $(ARGS)

test-quick: $(VENV)/.installed-dev ## Run the pure tests and a few seeds of the simulations, within a minute
	LOGQUAKE_SIMULATION_SEEDS=20 LOGQUAKE_SPOOL_SEEDS=20 LOGQUAKE_JOINED_SEEDS=2 LOGQUAKE_KEYS_SEEDS=4 LOGQUAKE_KEYS_JOINED_SEEDS=0 \
	LOGQUAKE_WORKFLOWS_SEEDS=5 LOGQUAKE_CACHE_SEEDS=20 LOGQUAKE_FUZZ_INPUTS=100 \
	  $(BIN)/pytest -n 2 --dist loadfile -m "not slow" $(QUICK) $(ARGS)

check: $(VENV)/.installed-dev ## Lint, format check, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

lint-action: $(VENV)/.installed-dev ## Check the workflows and the GitHub Action by actionlint (needs Go)
	@test -x $(BIN)/actionlint || GOBIN=$(abspath $(BIN)) go install $(ACTIONLINT)
	$(BIN)/actionlint -color
	$(BIN)/pytest -q -n 0 -k actionlint tests/system/test_action.py

prove-heal: $(VENV)/.installed-dev ## Kill `logquake run` at 20 random moments; after `logquake heal` nothing is left
	LOGQUAKE_HEAL_KILLS=20 $(BIN)/pytest -k whenever_the_harness_was_killed tests/system/test_heal.py -s $(ARGS)

prove-selftest: $(VENV)/.installed ## Run each known-bad stack 20 times; goes on where it was interrupted
	$(BIN)/logquake gate selftest --times 20 --resume reports/selftest.jsonl $(ARGS)

prove-regression: $(VENV)/.installed-dev ## Compare a version with itself 50 times, and with slower ones; goes on where it was interrupted
	$(BIN)/python -m tests.benchmarks.regressions --resume reports/regressions.jsonl $(ARGS)

prove-simulation: $(VENV)/.installed-dev ## Drive the delivery core through 10,000 seeds, then hunt deliberate bugs
	$(BIN)/python -m tests.simulation --seeds 10000 $(ARGS)
	$(BIN)/python -m tests.simulation.mutants

prove-spool: $(VENV)/.installed-dev ## Run the spool on a simulated disk, 5,000 seeds, and find each deliberate bug
	$(BIN)/python -m tests.simulation.spool --seeds 5000 $(ARGS)
	$(BIN)/python -m tests.simulation.spool --bugs --seeds 5

prove-crash: $(VENV)/.installed-dev ## Kill a process that writes a spool 10,000 times at its system calls (wants strace)
	$(BIN)/python -m tests.crash.kills --strace 1000 --seam 9000 $(ARGS)

prove-fuzz: $(VENV)/.installed-dev ## Give a million mutated inputs to the parsers of foreign bytes, on two processes
	$(BIN)/python -m tests.fuzz $(ARGS)

prove-joined: $(VENV)/.installed-dev ## Drive spool and delivery core together through 2,000 seeds
	$(BIN)/python -m tests.simulation.joined --seeds 2000 $(ARGS)

prove-keys: $(VENV)/.installed-dev ## Rotate keys under sealed spools through 10,000 seeds, and 500 up to the store; then hunt deliberate bugs
	$(BIN)/python -m tests.simulation.keys --seeds 10000 $(ARGS)
	$(BIN)/python -m tests.simulation.keys_joined --seeds 500
	$(BIN)/python -m tests.simulation.keys --bugs --seeds 3

prove-decrypt: $(VENV)/.installed-dev ## Give a million changed inputs to what opens sealed data
	$(BIN)/python -m tests.fuzz --target sealed --inputs 1000000 $(ARGS)

prove-rotations: $(VENV)/.installed ## Rotate keys 200 times in ten minutes of load, with two outages and a crash (wants a quiet machine)
	$(BIN)/logquake run rotations_200 --stack reference_encrypted $(ARGS)

prove-alerts: $(VENV)/.installed-dev ## Drive rules, grouping and outbox through 5,000 seeds of bursts, outages, crashes and jumps
	$(BIN)/python -m tests.simulation.alerts --seeds 5000 $(ARGS)

prove-coordination: $(VENV)/.installed-dev ## Run the suites default and disk on the stack that finds, five seeds, and ten quiet runs of five minutes; goes on where it was interrupted
	$(BIN)/python -m tests.coordination $(ARGS)

prove-findings: $(VENV)/.installed-dev ## Judge the detection of findings on 1,000 simulated seeds, on BGL's labelled lines and on NAB's series (LOGHUB_DIR, NAB_DIR)
	$(BIN)/python -m tests.simulation.findings --seeds 1000 $(ARGS)
	$(BIN)/python -m tests.findings
prove-workflows: $(VENV)/.installed-dev ## Drive workflows through 5,000 seeds of crashes, power cuts, lost leads and store outages
	$(BIN)/python -m tests.simulation.workflows --seeds 5000 $(ARGS)

prove-learning: $(VENV)/.installed-dev ## Let the engine choose in 200 worlds of each kind: time saved, harm, learning anew (ARGS="--times FILE")
	$(BIN)/python -m tests.simulation.learning --runs 200 $(ARGS)

prove-learning-real: $(VENV)/.installed-dev ## Put four real faults into a real stack: record each runbook, then let the engine choose in 24 episodes (wants root, 40 minutes)
	$(BIN)/python -m tests.learning record
	$(BIN)/python -m tests.learning episodes $(ARGS)

prove-storms: $(VENV)/.installed-dev ## Send 200 storms of alerts to a real mail server and webhook receiver through outages and kills
	$(BIN)/python -m tests.storms --storms 200 $(ARGS)

prove-sigterm: $(VENV)/.installed-dev ## End shippers, applications and gateways by SIGTERM at 100 random moments
	LOGQUAKE_SIGTERM_ROUNDS=10 $(BIN)/pytest -q tests/stack/test_sigterm.py $(ARGS)

prove-exporters: $(VENV)/.installed-dev ## Send records by OpenTelemetry's JavaScript exporters (needs node and npm)
	npm install --prefix tests/exporters/javascript --no-package-lock --no-audit --no-fund --silent
	LOGQUAKE_REQUIRE_EXPORTERS=1 $(BIN)/pytest -q -n 0 tests/exporters/test_javascript.py $(ARGS)

prove-filebeat: $(VENV)/.installed-dev ## Build the published Filebeat 7.17 and ship a file through it into the embedded store (skips without go or network)
	$(BIN)/python -m tests.exporters.filebeat
	$(BIN)/pytest -q -n 0 -rs tests/exporters/test_filebeat.py $(ARGS)

# Everything that can be installed is, thirty times: a quarter of an hour, and the network.
PACKAGE_PYTHONS = $(foreach each,$(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python3.13),--python $(each))

prove-package: $(VENV)/.installed-dev ## Install the package with each extra alone, on this Python and on 3.13, and use it (needs network); goes on where it was interrupted
	$(BIN)/python -m tests.package --python $(BIN)/python $(PACKAGE_PYTHONS) --resume reports/package.jsonl $(ARGS)

prove-masking: $(VENV)/.installed-dev ## Judge masking on 24,000 labelled lines beside CredSweeper and detect-secrets, and on others' examples (needs network, go)
	$(BIN)/python -m tests.masking $(ARGS)

prove-templates: $(VENV)/.installed-dev ## Judge template mining on the log sets in LOGHUB_DIR beside drain3-improved, and time both
	$(BIN)/python -m tests.templates $(ARGS)
prove-console: $(VENV)/.installed-dev ## Open the console on a million documents in the real Elasticsearch, and measure until a browser shows them (needs `make servers`, chromium)
	$(BIN)/python -m tests.benchmarks.console $(ARGS)

prove-cache: $(VENV)/.installed-dev ## Ask a cache of analytics through 100,000 worlds of writes, deletes and outages, then hunt caches that are wrong
	$(BIN)/python -m tests.simulation.cache --seeds 100000 $(ARGS)
	$(BIN)/python -m tests.simulation.cache --bugs

bench-cache: $(VENV)/.installed-dev ## Measure hits of the cache of analytics beside round trips to the real store (needs `make servers`)
	$(BIN)/python -m tests.benchmarks.cache $(ARGS)

foreign: $(VENV)/.installed ## Unpack rsyslog and syslog-ng from Debian's packages into the cache folder (needs apt-get)
	$(BIN)/logquake servers install rsyslog syslog-ng

prove-foreign: $(VENV)/.installed-dev ## Run the default suite on rsyslog and syslog-ng, on both backends, and print the tables
	-$(BIN)/logquake servers install rsyslog syslog-ng
	$(BIN)/python -m tests.foreign $(ARGS)

# What .ci/run runs where rsyslog can be had.
foreign-smoke: $(VENV)/.installed-dev
	$(BIN)/python -m tests.foreign --smoke $(ARGS)

images: $(VENV)/.installed ## Make Docker images of the installed servers on this machine (needs a daemon, debootstrap, root)
	$(BIN)/logquake servers images $(ARGS)

# Skips, and says why, where no Docker daemon can be had.
containers-smoke: $(VENV)/.installed-dev
	$(BIN)/python -m tests.containers_smoke

prove-containers: $(VENV)/.installed-dev ## Run the default suite on containers of this machine's Docker daemon
	$(BIN)/logquake run --backend containers $(ARGS)

prove-many: $(VENV)/.installed-dev ## Kill one of three gateways and one of three Elasticsearch nodes under full load (needs apt-get, `make servers`)
	-$(BIN)/logquake servers install haproxy
	$(BIN)/python -m tests.many $(ARGS)

prove-store: $(VENV)/.installed-dev ## Ask the real Elasticsearch and the embedded store the same 2,000 requests (needs `make servers`)
	$(BIN)/python -m tests.differential --requests 2000 $(ARGS)

prove-large: $(VENV)/.installed-dev ## Judge runs of 180,000 and 1,000,000 records; print the harness's time and memory (ARGS=--help)
	$(BIN)/python -m tests.benchmarks.large $(ARGS)

coverage-core: $(VENV)/.installed-dev ## Branch coverage of delivery core and spool by their tests, at least 98 %
	$(BIN)/coverage run --source=logging_system/delivery,logging_system/spool -m \
	  pytest -q -k "not deliberate_bug" tests/unit/logging_system tests/simulation $(ARGS)
	$(BIN)/coverage report --show-missing --skip-covered --fail-under=98

bench: $(VENV)/.installed-dev ## Compare the TCP proxy with the real one (wants a quiet machine)
	LOGQUAKE_BENCH=1 $(BIN)/pytest -q -s tests/benchmarks $(ARGS)

bench-callers: $(VENV)/.installed-dev ## Compare the cost of a log call, and what is lost, with other ways to log (ARGS=--help)
	$(BIN)/python -m tests.benchmarks.callers $(ARGS)

bench-paths: $(VENV)/.installed-dev ## Measure spool, gateway, store and backlog beside the machine's own limits (ARGS=--help)
	$(BIN)/python -m tests.benchmarks.paths $(ARGS)

bench-alerts: $(VENV)/.installed-dev ## Print what `watch` holds in memory while 100,000 alerts fire; fails above 64 MiB
	$(BIN)/python -m tests.benchmarks.alerts_memory $(ARGS)

bench-functions: $(VENV)/.installed-dev ## Measure hot functions, each as a ratio to a reference of the same run
	LOGQUAKE_BENCH=functions $(BIN)/pytest -q -o addopts=--strict-config tests/benchmarks/functions $(ARGS)

docs: $(VENV)/.installed-docs ## Build the documentation site into build/site, strictly, and test it (chromium for some tests)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet
	$(BIN)/pytest -q -n 0 tests/site $(ARGS)
	@echo "build/site/index.html is the site; with its search: $(BIN)/python -m http.server --bind 127.0.0.1 --directory build/site"

gallery: $(VENV)/.installed ## Make the scorecards of docs/gallery again (needs chromium, and rsyslog by `make foreign`)
	$(BIN)/python -m docs.gallery

example: $(VENV)/.installed ## Make reports/example and the picture in the README again (needs chromium)
	$(BIN)/python docs/example.py

picture: $(VENV)/.installed-dev ## Take the pictures of the live page, of a trace and of the console again, from real runs (needs chromium)
	$(BIN)/python docs/live_page.py
	$(BIN)/python docs/trace_picture.py
	$(BIN)/python docs/console_page.py

init-session: ARGS ?= --look
init-session: $(VENV)/.installed ## Record again what `logquake init` says in its tutorial (ARGS= for the runs too, on a quiet machine)
	$(BIN)/python docs/init_session.py $(ARGS)

schemas: $(VENV)/.installed ## Write the JSON Schemas, the page of all parts, the tables of settings, masking rules, metrics, alerts and workflows, the embedded store's page and the dashboard
	$(BIN)/python -m harness.config.schemas docs/reference/schemas
	$(BIN)/python -m harness.config.parts docs/reference/parts.md
	$(BIN)/python -m harness.programs.elastic_lite.reference docs/reference/embedded-store.md
	$(BIN)/python -m logging_system.config.reference docs/reference/settings.md docs/reference/masking.md docs/reference/logging-metrics.md
	$(BIN)/python -m logging_system.monitoring.dashboard logging_system/monitoring/shipped/grafana_dashboard.json
	$(BIN)/python -m logging_system.alerting.reference docs/reference/alerts.md docs/reference/schemas/alerts.json
	$(BIN)/python -m logging_system.coordination.workflows.reference docs/reference/workflows.md docs/reference/schemas/workflows.json

servers: $(VENV)/.installed ## Install the real Elasticsearch and Toxiproxy (needs Maven, a JDK and Go), and Prometheus for a few tests
	$(BIN)/logquake servers install
	-$(BIN)/python -m tests.prometheus_server

kms: $(VENV)/.installed-dev ## Install what key providers are tested on: Vault's transit engine, local-kms (both need Go), SoftHSM
	$(BIN)/python -m tests.key_servers

wycheproof: ## Fetch Wycheproof's test vectors with Go, which the tests of known answers use where they are
	cd / && go mod download github.com/google/wycheproof@v0.0.0-20191219022705-2196000605e4

clean: ## Remove the virtual environments and caches
	rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "logquake needs Python 3.11 or newer; name one with: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV) || \
	  { rm -rf $(VENV); echo "python cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }

# PIP_CONSTRAINT rather than --constraint, so that the build backend is pinned too.
$(VENV)/.installed: pyproject.toml constraints.txt | $(VENV)/bin/python
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[uwsgi]' \
	  || echo "uWSGI could not be compiled; the tests that start it skip"
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed-dev
	PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@
