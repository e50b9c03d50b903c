# The commands of Nhịp Cầu. Each installs what it needs first and says what it is doing.
#
#   make run     the demo meeting, built and running
#   make test    everything installed and tested; .ci/run calls exactly this
#   make bench   figures into BENCHMARKS.md
#   make conformance  what sites behind poor lines hear and see, into CONFORMANCE.md: make conformance [ONLY=512] [SEED=7]
#   make conformance-browsers  the same in Chromium through a relay, on a machine that does nothing else
#   make sweep   seeded stories of the simulation for other seeds: make sweep FROM=100000 COUNT=500 [STORY=anything]
#   make fuzz    every fuzz target on its corpus, with inputs a second and coverage: make fuzz SECONDS=60
#   make mutants what unit tests of forwarding, receiving, rooms and meetings would not notice
#
# Parts: make web · protocol · fmt · lint · unit · browser · fuzz-build · fuzz-corpus · golden

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
export CARGO_TERM_COLOR ?= always

TARGET := $(or $(CARGO_TARGET_DIR),target)
RUN_ARGS ?=
FROM ?= 100000
COUNT ?= 500
STORY ?=
ONLY ?=

.PHONY: run test bench conformance conformance-browsers sweep fuzz fuzz-corpus mutants web protocol fmt lint unit browser fuzz-build golden tools-run tools-test tools-mutants

run: tools-run web
	@echo "==> building nhipcau (release)"
	cargo build --release --locked -p signaling --bin nhipcau
	exec $(TARGET)/release/nhipcau demo $(RUN_ARGS)

test: tools-test
	@exec ops/test.sh

bench: tools-run web
	@echo "==> building nhipcau (release), which the load bench measures"
	cargo build --release --locked -p signaling --bin nhipcau
	cargo bench --locked -p tests

conformance: tools-run
	@echo "==> building the laboratory"
	cargo build --quiet --locked -p tests --example conformance
	exec $(TARGET)/debug/examples/conformance "$(ONLY)"

conformance-browsers: tools-test web
	@echo "==> building the server and the relay"
	cargo build --quiet --locked -p signaling --bin nhipcau
	cargo build --quiet --locked -p tests --example relay
	npm --prefix tests/browser ci --no-audit --no-fund --silent
	exec node tests/browser/conformance.mjs

sweep: tools-run
	@exec ops/sweep.sh $(FROM) $(COUNT) $(STORY)

web/node_modules: web/package-lock.json
	@echo "==> installing the page's packages"
	npm --prefix web ci --no-audit --no-fund
	touch $@

web: web/node_modules
	@echo "==> building the page"
	npm --prefix web run build

protocol:
	UPDATE_PROTOCOL=1 cargo test --locked -p protocol

golden:
	UPDATE_GOLDEN=1 cargo test --locked -p tests --test golden

fmt:
	cargo fmt --all

lint: web/node_modules
	cargo fmt --all --check
	cargo clippy --locked --workspace --all-targets -- -D warnings
	cargo clippy --locked -p sfu --config profile.dev.package.sfu.debug-assertions=false -- -D warnings
	npm --prefix web run lint

fuzz: tools-run
	@exec tests/fuzz/run.sh search $(or $(SECONDS),60) $(TARGETS)

fuzz-corpus: tools-run
	@exec tests/fuzz/run.sh corpus $(TARGETS)

fuzz-build:
	cargo build --locked -p fuzz

mutants: tools-mutants
	@exec ops/mutants.sh $(or $(SHARD),0/1) $(FOLDER)

tools-run:
	@ops/install.sh run

tools-test:
	@ops/install.sh test

tools-mutants:
	@ops/install.sh mutants
