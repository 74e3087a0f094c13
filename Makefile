# One-liners over the `writ` command line; `target/release/writ --help` has the rest.

TARGET = $(or $(CARGO_TARGET_DIR),target)
WRIT   = $(TARGET)/release/writ
BUILD  = cargo build --release --workspace --bins

# The example producer in Python is part of the tests.
PYTHON = $(abspath $(TARGET))/producers-venv/bin/python
# Makes requests from the OpenAPI documents.
SCHEMATHESIS = $(abspath $(TARGET))/tests-venv/bin/schemathesis
TEST_TOOLS   = WRIT_TEST_PYTHON=$(PYTHON) WRIT_TEST_SCHEMATHESIS=$(SCHEMATHESIS)

PROMTOOL = $(shell command -v promtool)

.PHONY: demo up down status lint rules python test test-containers test-faults fuzz bench

demo: ## start two regions and walk through: a role assigned in one is in force in the other
	$(BUILD) && $(WRIT) demo

up: ## start two regions, or what of them is not running
	$(BUILD) && $(WRIT) up

down: ## stop them; data stays
	$(WRIT) down

status: ## show each part of each region, chain by chain
	$(WRIT) status --chains

lint: rules ## check formatting, lints (as errors) and alert rules
	cargo fmt --all --check && cargo clippy --workspace --all-targets -- -D warnings

rules: ## check and test Prometheus rules and alerts
ifdef PROMTOOL
	cd infra/prometheus && promtool check config prometheus.yml && promtool test rules tests/*.yml
else
	@echo 'promtool is missing (package prometheus): rules and alerts are not tested'
endif

test: $(PYTHON) $(SCHEMATHESIS) ## unit, store and whole-system tests; they start and stop what they need
	cargo build --workspace --bins && $(TEST_TOOLS) $(TARGET)/debug/writ with-database -- cargo test --workspace --no-fail-fast

test-containers: $(PYTHON) $(SCHEMATHESIS) ## the whole-system tests against three regions in running containers
	cargo build --workspace --bins && $(TEST_TOOLS) WRIT_TEST_HOME=$(CURDIR)/.writ/compose cargo test -p integration-tests --test system

test-faults: ## the long fault and convergence runs
	cargo build --workspace --bins && $(TARGET)/debug/writ with-database -- cargo test --workspace -- --ignored --test-threads=1

fuzz: ## drive what reads bytes from outside with arbitrary ones: FUZZ_SECONDS for each target
	cargo run --release -p writ-fuzz -- --seconds $(or $(FUZZ_SECONDS),60)

python: $(PYTHON) ## the Python environment of the example producer

$(PYTHON): schemas/examples/requirements.txt
	python3 -m venv $(dir $(@D)) && $@ -m pip install --quiet --disable-pip-version-check -r $< && touch $@

$(SCHEMATHESIS): integration-tests/requirements.txt
	python3 -m venv $(dir $(@D)) && $(@D)/python -m pip install --quiet --disable-pip-version-check -r $< && touch $@

bench: ## measure how long a change takes to the other region, stage by stage
	$(BUILD) && $(WRIT) bench propagation
