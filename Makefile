# Two commands are all a newcomer needs: `make demo` and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
CARGO ?= cargo
# One profile for demo and tests, so that nothing is built twice; `make release` is what is installed.
CHANCERY := target/debug/chancery

.PHONY: help
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

.PHONY: setup
setup: ## installs what the tests need from the distribution's packages, or says what is missing
	@scripts/setup base

# Without Node the program is built all the same: one page then says how to build the console.
HAS_NODE := $(shell command -v npm >/dev/null && echo yes)

.PHONY: build
build: $(if $(HAS_NODE),console/dist/index.html) ## the program, with the console where Node is there to build it
	$(CARGO) build --locked --bin chancery $(if $(HAS_NODE),--features console)

# Made again when a file of it is newer.
console/dist/index.html: $(shell git ls-files console 2>/dev/null)
	$(MAKE) --no-print-directory console
	@touch $@

.PHONY: demo
demo: setup build ## the whole way of a request on real parts; leaves ./demo-out
	$(CHANCERY) demo

.PHONY: test
test: ## every test that needs Rust, Node, Debian packages and PyPI
	@scripts/setup test
	rm -rf $(VERIFY_CORPUS)
	CHANCERY_CORPUS=$(VERIFY_CORPUS) $(CARGO) test --locked --workspace
	$(MAKE) --no-print-directory build console-test
	scripts/test-page
	scripts/test-console

.PHONY: interop
interop: ## what nobody here wrote: verifiers in Go, npm, openssl, Python, OpenSSH; schemathesis
	@scripts/setup interop
	$(MAKE) --no-print-directory build
	$(CARGO) build --locked --workspace --example served
	tests/interop/run

.PHONY: lint
lint: ## format, clippy, generated files, dependency policy
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	scripts/check-text

.PHONY: bench
bench: ## the tables of numbers, beside the physical limit of the same run
	scripts/bench

.PHONY: fuzz
fuzz: ## five minutes of fuzzing for each reader of strangers' bytes: scripts/fuzz [SECONDS] [TARGET...]
	scripts/fuzz

.PHONY: nightly
nightly: ## the long forms: every byte of the evidence flipped, long histories
	CHANCERY_NIGHTLY=1 $(CARGO) test --locked --release -p chancery-evidence --test mutation
	CHANCERY_NIGHTLY=1 $(CARGO) test --locked -p chancery-server --test fail_points
	CHANCERY_NIGHTLY=1 $(CARGO) test --locked --release -p chancery --test load -- --nocapture --test-threads 1
	CHANCERY_NIGHTLY=1 $(CARGO) test --locked -p chancery --test crash -- --nocapture
	CHANCERY_SIMULATION_SEEDS=10000 CARGO_PROFILE_RELEASE_DEBUG_ASSERTIONS=true \
		$(CARGO) test --locked --release -p chancery-simulation --test simulation -- --nocapture
	PROPTEST_CASES=100000 $(CARGO) test --locked --workspace
	tests/interop/api/run long
	scripts/fuzz control
	scripts/fuzz 300

.PHONY: console
console: ## the web console, into console/dist, for the binary to embed
	cd console && npm ci --no-audit --no-fund && npm run --silent build

# The tests that make good and forged evidence keep it here, each with what `chancery verify` says of it.
VERIFY_CORPUS = $(CURDIR)/target/verify-corpus

.PHONY: console-test
console-test: console/dist/index.html offline-verifier $(VERIFY_CORPUS) ## unit tests of the console, types, generated client, packages and sizes
	cd console && npm run --silent types && npm run --silent client:check && npm run --silent packages && npm run --silent size && npm test
	cd console && CHANCERY_CORPUS=$(VERIFY_CORPUS) npm run --silent test:verify

.PHONY: offline-verifier
offline-verifier: ## the verifier of evidence as one HTML file that works from disk, into console/dist-offline
	cd console && { [ -d node_modules ] || npm ci --no-audit --no-fund; } && npm run --silent offline

# `make test` makes it on its way.
$(VERIFY_CORPUS):
	CHANCERY_CORPUS=$(VERIFY_CORPUS) $(CARGO) test --locked --workspace --test corpus --test verify --test newer --test forgery \
		--test server_word --test recovery --test mutation --test authenticator --test issue --test succession

.PHONY: console-browser
console-browser: build ## the console's screens in a real browser, against the program that embeds it
	scripts/test-console

.PHONY: screenshots
screenshots: build ## pictures of every screen of the console, into target/screenshots
	scripts/test-console screenshots

.PHONY: release
release: $(if $(HAS_NODE),console/dist/index.html offline-verifier) ## what is installed: target/release/chancery
	$(CARGO) build --locked --release --bin chancery $(if $(HAS_NODE),--features console)
	$(if $(HAS_NODE),cp console/dist-offline/chancery-verify.html target/release/)
