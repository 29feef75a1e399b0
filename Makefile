# Every recipe installs or builds what it needs: Rust, Go, make and git are enough.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
TESTBED := target/debug/testbed
LAB := target/debug/lab
# One command at a time may build; tests and benches run in parallel by themselves.
.NOTPARALLEL:

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

.PHONY: build
build: ## Build the release binary, target/release/pintle
	cargo build --locked --release --bin pintle

.PHONY: testbed
testbed: ## Build the real Kubernetes components that tests, demo and benches run on
	cargo build --locked --quiet --package testbed
	$(TESTBED) build

.PHONY: demo
demo: build testbed ## Play the story of a tenant: on real nodes where they can run, or simulated ones
	cargo build --locked --quiet --package lab
	if $(LAB) check > /dev/null 2>&1; then $(LAB) build; fi
	demo/run $(LAB) $(TESTBED)

.PHONY: demo-simulated
demo-simulated: build testbed ## Play the tour of the README on simulated nodes
	demo/simulated $(TESTBED)

.PHONY: demo-down
demo-down: ## Stop the clusters that demos left running
	cargo build --locked --quiet --package testbed --package lab
	$(TESTBED) down
	$(LAB) down

.PHONY: lab
lab: ## Start a host cluster with real nodes and containers (Linux, root)
	cargo build --locked --quiet --package lab
	$(LAB) up

.PHONY: lab-down
lab-down: ## Stop the lab and remove all of it
	cargo build --locked --quiet --package lab
	$(LAB) down

.PHONY: test
# Everything is built in one go: a package built by itself has other features of shared dependencies, so that
# each build would undo the other.
test: ## Run all tests
	cargo build --locked --workspace --all-targets
	$(TESTBED) build
	if $(LAB) check > /dev/null 2>&1; then $(LAB) build; fi
	tests/run $(TESTBED)

.PHONY: faults
faults: testbed ## Try every trouble at every write of a change, and a crowd for a minute
	PINTLE_FAULTS=all PINTLE_CROWD=60 $(TESTBED) exec -- \
	  cargo test --locked --test suite -- --nocapture faults:: crowd::

.PHONY: bench
bench: testbed ## Measure pintle beside Helm in one run and print the table
	$(TESTBED) exec -- cargo bench --locked --bench helm

.PHONY: schemas
schemas: testbed ## Generate schemas/ from the real kube-apiservers of each minor
	UPDATE_SCHEMAS=1 $(TESTBED) exec -- cargo test --locked --test suite schemas

.PHONY: doc
doc: ## Build the documentation of the library, warnings denied
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps --document-private-items

.PHONY: lint
lint: ## Check format and lints
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings

.PHONY: ci
ci: lint doc test ## Everything that has to pass before a change lands

.PHONY: deny
deny: ## Check licences, sources and banned crates (needs cargo-deny)
	cargo deny check bans licenses sources

.PHONY: clean
clean: ## Delete what was built here; the testbed's cache stays
	cargo clean
