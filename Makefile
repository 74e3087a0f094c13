# One-liners over the `writ` command line; `target/release/writ --help` has the rest.

TARGET = $(or $(CARGO_TARGET_DIR),target)
WRIT   = $(TARGET)/release/writ
BUILD  = cargo build --release --workspace --bins

# The example producer in Python is part of the tests.
PYTHON = $(abspath $(TARGET))/producers-venv/bin/python

PROMTOOL = $(shell command -v promtool)

.PHONY: demo up down status lint rules python test test-containers test-faults bench

demo: ## the story: two regions start, a right granted in one is in force in the other
	$(BUILD) && $(WRIT) demo

up: ## start two regions; what runs is found
	$(BUILD) && $(WRIT) up

down: ## end them; data stays
	$(WRIT) down

status: ## each part of each region, chain by chain
	$(WRIT) status --chains

lint: rules ## formatting, and every lint as an error; alerts as their tests want them
	cargo fmt --all --check && cargo clippy --workspace --all-targets -- -D warnings

rules: ## Prometheus' own check and test of rules and alerts
ifdef PROMTOOL
	cd infra/prometheus && promtool check config prometheus.yml && promtool test rules tests/*.yml
else
	@echo 'promtool is missing (package prometheus): rules and alerts are not tested'
endif

test: $(PYTHON) ## unit, store and whole-system tests, on parts they start and stop themselves
	cargo build --workspace --bins && WRIT_TEST_PYTHON=$(PYTHON) $(TARGET)/debug/writ with-database -- cargo test --workspace --no-fail-fast

test-containers: ## the whole-system tests on the three regions in containers that run already
	cargo build --workspace --bins && WRIT_TEST_HOME=$(CURDIR)/.writ/compose cargo test -p integration-tests --test system

test-faults: ## the long fault and convergence runs
	cargo build --workspace --bins && $(TARGET)/debug/writ with-database -- cargo test --workspace -- --ignored --test-threads=1

python: $(PYTHON) ## what the example producer in Python needs, in an environment of its own

$(PYTHON): schemas/examples/requirements.txt
	python3 -m venv $(dir $(@D)) && $@ -m pip install --quiet --disable-pip-version-check -r $< && touch $@

bench: ## how long a change takes to the other region, stage by stage
	$(BUILD) && $(WRIT) bench propagation
