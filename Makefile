# Thin targets: each is one command of cargo, of `cargo xtask`, or of a script beside what it runs.
# Everything that a target lacks and a package registry has, it installs below target/.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run web test test-full test-servers test-cluster walkthrough image soak fuzz lint bench bench-agent bench-large bench-steady bench-huge bench-ui bench-backends release test-planted

# `make run DEMO=1` adds realistic traffic; `make run ARGS="--config trackway.yaml"` passes more flags.
DEMO ?=
ARGS ?=
DATA ?= ./data
# How long `make fuzz` spends on each decoder, and `make soak` on the crash rounds.
FUZZ_SECONDS ?= 60
SOAK_SECONDS ?= 1800
SOAK_CASES ?= 10000
# How many seconds servers are away in them, and whether the stores of others answer in every way of reaching them.
SOAK_OUTAGE ?= 60
SOAK_SERVERS ?= 1
# How many spans `make bench-large` sends; 20 million take 8 GB of disk, nearly all of it for the corpus.
BENCH_SPANS ?= 20000000
# What `make bench-steady` sends: 60 % of what two cores take, for ten minutes; it takes 15 GB of disk to be sure of it.
BENCH_RATE ?= 300000
BENCH_SECONDS ?= 600
# On how many spans `make bench-huge` starts; they take 2.4 GB of disk and a quarter of an hour to make.
BENCH_HUGE_SPANS ?= 100000000
# The release binary may not grow over this. The clients of Kafka, Cassandra and Elasticsearch are some 9 MiB of it.
BINARY_MIB_MAX := 36
# Nor may the image, unpacked: it is the binary, 3 MiB of libraries, and authorities and time zones.
IMAGE_MIB_MAX := 40
TEST := cargo test --locked --profile ci --no-fail-fast

help: ## shows this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do \
	    printf '  make %-14s %s\n' "$$name" "$$text"; done

run: web ## builds and starts everything in one process, data in ./data (DEMO=1: with traffic)
	cargo run --locked --release --package trackway -- --data-dir $(DATA) $(if $(DEMO),--demo) $(ARGS)

web: web/dist/index.html ## builds the web app, which the program is then built with

# Only when something of it changed: the program is built anew with every new web app.
web/dist/index.html: $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print)
	web/setup
	cd web && npm run --silent build

test: web ## all tests: the crates, then the real program with real clients, and the web app in a browser
	tests/setup --background
	web/setup
	cd web && npm run --silent test
	cargo build --locked --profile ci --workspace --all-targets
	tests/setup
	TRACKWAY_BIN=$(CURDIR)/target/ci/trackway TRACKWAY_MUTATION_SECONDS=20 $(TEST) --workspace
	for sample in services shop; do \
	    (cd examples/$$sample && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && \
	        TRACKWAY_BIN=$(CURDIR)/target/ci/trackway npm test) || exit 1; done
	web/setup --browser
	cd web && TRACKWAY_BIN=$(CURDIR)/target/ci/trackway npm run --silent e2e

test-full: test test-planted test-cluster image ## the tests, the planted faults, a cluster, the sizes of the release
	cargo xtask instructions
	for sample in services shop; do \
	    (cd examples/$$sample && TRACKWAY_BIN=$(CURDIR)/target/ci/trackway npm run --silent test-planted) || exit 1; done

test-planted: ## shows that each planted fault is caught by its test
	tests/setup
	cargo xtask planted

# Real servers of others gain nothing from more cases: without SOAK_SERVERS they are left to test-servers.
soak: ## the random tests with many more cases, blow-ups at full size, crashes and steady load for SOAK_SECONDS
	tests/setup
	cargo build --locked --profile ci --workspace --all-targets
	TRACKWAY_BIN=$(CURDIR)/target/ci/trackway PROPTEST_CASES=$(SOAK_CASES) TRACKWAY_SIMULATION_SEEDS=$(SOAK_CASES) \
	    TRACKWAY_CRASH_SECONDS=$(SOAK_SECONDS) TRACKWAY_CRASH_ROUNDS=1000 TRACKWAY_BLOWUP_SECONDS=15 \
	    TRACKWAY_SOAK_SECONDS=$(SOAK_SECONDS) TRACKWAY_OUTAGE_SECONDS=$(SOAK_OUTAGE) \
	    $(if $(SOAK_SERVERS),TRACKWAY_ALL_SERVERS=1) $(TEST) --workspace \
	    $(if $(SOAK_SERVERS),,-- --skip elastic:: --skip kafka:: --skip cassandra:: --skip walkthrough:: --skip doctor::a_store)

test-servers: ## stores of others in every way of reaching them, and away for half a minute
	tests/setup
	cargo build --locked --profile ci --workspace --all-targets
	TRACKWAY_BIN=$(CURDIR)/target/ci/trackway TRACKWAY_OUTAGE_SECONDS=30 TRACKWAY_ALL_SERVERS=1 \
	    $(TEST) --workspace -- elastic kafka cassandra agent::

# Kubernetes is built first and alone: it takes five minutes of two cores, once.
test-cluster: web ## the chart, the images and the samples on a real Kubernetes of one node, which it builds (root, Go, apt)
	tests/servers/kubernetes install all
	tests/setup
	cargo build --locked --profile ci --workspace --all-targets
	TRACKWAY_BIN=$(CURDIR)/target/ci/trackway tests/cluster \
	    env TRACKWAY_BIN=$(CURDIR)/target/ci/trackway $(TEST) --workspace --lib -- cluster:: --test-threads=1

walkthrough: web ## docs/kubernetes.md acted out, in the end in a browser, on that Kubernetes or with processes; MODE chooses
	tests/walkthrough/run $(MODE)

fuzz: ## fuzzes every decoder for FUZZ_SECONDS each (needs a nightly toolchain)
	xtask/fuzz.sh $(FUZZ_SECONDS)

lint: ## formatting, clippy, the rules of the house, generated sources
	cargo fmt --all --check
	cargo clippy --locked --profile ci --workspace --all-targets -- -D warnings
	cargo xtask tidy
	cargo xtask codegen --check
	web/setup
	cd web && npm run --silent check && npm run --silent lint

bench: bench-agent ## speed, size and memory on both corpora, with every answer checked; the kind one over gRPC; an agent
	bench/run

bench-agent: ## an agent at 20,000 spans a second before a collector, and 50,000 a second as datagrams to a collector
	bench/run --agent

bench-large: ## the same on BENCH_SPANS spans of the kind corpus (20,000,000)
	bench/run --profile kind --protocol http --spans $(BENCH_SPANS) --out bench/out/LARGE.json

bench-steady: ## BENCH_RATE spans a second for BENCH_SECONDS with searches beside them: memory, cores, backlog
	bench/run --steady $(BENCH_RATE) --seconds $(BENCH_SECONDS)

bench-huge: ## starts on BENCH_HUGE_SPANS spans (100,000,000), which it makes first
	cargo run --locked --profile ci --package store --example ask -- \
	    $(BENCH_HUGE_SPANS) target/bench/huge-$(BENCH_HUGE_SPANS) --only-fill
	bench/run --start-on target/bench/huge-$(BENCH_HUGE_SPANS)

bench-backends: ## what Elasticsearch, OpenSearch, Cassandra and Kafka cost beside the embedded store, on servers that it starts
	tests/setup
	bench/run --backends

bench-ui: web ## sizes, times and memory of the web app in headless Chromium, on traces of up to a million spans
	web/setup --browser
	cargo build --locked --profile ci --package trackway
	cd web && TRACKWAY_BIN=$(CURDIR)/target/ci/trackway npm run --silent bench

release: web ## builds the binary that is shipped; fails over 36 MiB
	@begin=$$SECONDS; cargo build --locked --profile dist --package trackway; \
	size=$$(stat -c %s target/dist/trackway); \
	echo "target/dist/trackway: $$((size / 1024)) KiB, built in $$((SECONDS - begin)) s"; \
	if (( size > $(BINARY_MIB_MAX) * 1024 * 1024 )); then echo "over $(BINARY_MIB_MAX) MiB" >&2; exit 1; fi

image: release ## makes the image of it as an OCI archive, without a container engine; fails over 40 MiB unpacked
	deploy/image --mebibytes-max $(IMAGE_MIB_MAX)
