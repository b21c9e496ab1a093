# Lastgood: everything a developer runs. `make` alone lists the targets.
#
# Needed beforehand: Debian (or a system with its packages), Rust with rustfmt and clippy, and root or a sudo that asks
# nothing, unless what tests/tools.sh looks for is there already.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: tools
tools: ## install what is missing: PostgreSQL, zstd, age, and the local AWS under target/python
	@tests/tools.sh

.PHONY: build
build: tools ## compile everything
	$(CARGO) build --workspace --locked

# What failed is said once more at the end, because of a long log only the end is kept here and there. Two tests at once for each core:
# half of the time they wait for a server, or for time to pass.
.PHONY: test
test: export RUST_TEST_THREADS ?= $(shell echo $$((2 * $$(nproc))))
test: ## all checks (but `make deny`) and all tests
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=line CARGO='env --unset=MAKEFLAGS $(CARGO)' checks
	@$(CARGO) test --workspace --locked --no-fail-fast 2>&1 | tee target/test.log || \
	  { awk '/^failures:$$/ { failed = 1 } failed { print } /^test result: / { failed = 0 }' target/test.log; exit 1; }

# Two at a time: installing waits for the network, and Valgrind has one core. Cargo is to take all of them, whatever make says.
.PHONY: checks
checks: tools instructions format lint guard doc
# Crates in C are compiled for these as well.
lint doc: $(if $(shell command -v cc),,tools)

.PHONY: format
format: ## check the formatting
	$(CARGO) fmt --all --check

.PHONY: lint
lint: ## clippy, where a warning is an error
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings

.PHONY: doc
doc: ## rustdoc, where a warning is an error
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked --quiet

# What tests/tests/architecture/rules.rs and style.rs say. Part of `make test`; alone it needs no tools and takes seconds.
.PHONY: architecture
architecture: ## check who may take from whom, import circles, and how long files and functions are
	$(CARGO) test --locked -p e2e --test architecture

# What must never reach a function: each costs size and cold start. Built alone, because features unify across a
# workspace and the agent may ask for more.
UNWANTED_IN_FUNCTIONS := ring|aws-sdk-sso|aws-sdk-ssooidc

# And what the tests build has to serve the binaries that they run: else half of it is compiled twice.
.PHONY: guard
guard: ## check that the functions stay slim, and that nothing is compiled twice
	@tree=$$($(CARGO) tree --locked -p lambdas -e normal,build --prefix none --format '{p}'); \
	if grep -E '^($(UNWANTED_IN_FUNCTIONS)) v' <<< "$$tree"; then \
	  echo 'error: the functions depend on the crates above' >&2; \
	  echo 'hint: cargo tree -p lambdas -i CRATE says through whom' >&2; \
	  exit 1; \
	fi
	@features() { $(CARGO) tree --workspace --locked -e "$$1" --prefix none --format '{p} [{f}]' | sed 's/ (\*)$$//' | sort -u; }; \
	if comm -23 <(features normal,build) <(features normal,build,dev) | grep .; then \
	  echo 'error: of the crates above, the tests of some package need more features than anything else does' >&2; \
	  echo 'hint: name the crate with these features in [dependencies] of tests/Cargo.toml' >&2; \
	  exit 1; \
	fi

# Counted by Valgrind, not timed: core/archive/benches/instructions.rs says how, and what to do when it fails. With another
# compiler than the recorded counts' it can't compare: INSTRUCTIONS=--allow-unchecked lets it pass then.
.PHONY: instructions
instructions: tools ## check that the hot parts take no more instructions than recorded
	@$(CARGO) bench --quiet --locked -p archive --bench instructions -- $(INSTRUCTIONS)

.PHONY: instructions-record
instructions-record: tools ## record them anew, after a change that is meant
	@$(CARGO) bench --quiet --locked -p archive --bench instructions -- --record

# Tables on standard output; JSON and pictures in target/bench. ARGUMENTS='--only backup --rounds 9' and the like. Released as
# the agent is: its own requests are the floor of some contests.
.PHONY: bench
bench: tools ## measure it beside what people use instead (docs/performance.md)
	@tests/tools.sh peers
	@$(CARGO) run --quiet --release --locked -p e2e --bin bench -- $(ARGUMENTS)

.PHONY: bench-quick
bench-quick: tools ## the same in about two minutes: a small database, fewer rounds and peers
	@$(CARGO) run --quiet --release --locked -p e2e --bin bench -- --quick $(ARGUMENTS)

# CASE=name takes those whose name holds it, FULL=1 every case by every way, role and version. What has a result is not tried
# again until its case or the agent changes: a run that was ended goes on where it was. tests/wild/README.md says more.
.PHONY: wild
wild: tools ## restore the databases that people have, every way (tests/wild)
	@tests/regression.sh
	@$(CARGO) run --quiet --locked --bin wild -- $(if $(CASE),--case $(CASE)) $(if $(FULL),--full) $(ARGUMENTS)

.PHONY: matrix
matrix: tools ## try every server, client and target, and write what came of it into docs/restore.md
	@$(CARGO) run --quiet --locked --bin versions

.PHONY: wild-docs
wild-docs: ## write what `make wild` came to into docs/restore.md
	@$(CARGO) run --quiet --locked --bin wild -- --docs

# STORE=rclone takes that store alone; its name is in the table's head, in lower case. It is no part of `make test`, which has
# every row at one of the two stores that it needs anyway.
.PHONY: stores
stores: tools ## try what Lastgood asks of a store at the S3 stores that people run
	@tests/stores.sh $(STORE)
	@$(CARGO) run --quiet --locked --bin stores -- $(if $(STORE),--store $(STORE)) $(ARGUMENTS)

.PHONY: stores-docs
stores-docs: ## write what `make stores` came to into docs/install.md
	@$(CARGO) run --quiet --locked --bin stores -- --docs

# ARGUMENTS=--wild takes every database of tests/wild as well; '--only pgbench --version 18' a few.
.PHONY: drills
drills: tools ## drill databases of many kinds on every version that is here: every digest is equal
	@tests/regression.sh
	@$(CARGO) run --quiet --locked --bin drills -- $(ARGUMENTS)

.PHONY: drill-kills
drill-kills: tools ## end drills at fifty random moments, by SIGTERM and SIGKILL, on each kind of server, and see what is left
	@DRILL_KILLS=$(or $(DRILL_KILLS),50) $(CARGO) test --workspace --locked --test e2e -- --nocapture drill::kills::

# ERASE_KILLS=10 for a short one.
.PHONY: erase-kills
erase-kills: tools ## kill erasures at forty random moments, and see that nothing is lost and the next one completes each
	@ERASE_KILLS=$(or $(ERASE_KILLS),40) $(CARGO) test --workspace --locked --test e2e -- --nocapture erase::kills::

# How many random ways through the model of the commit protocol are taken in each kind of repository.
PROTOCOL_WALKS ?= 100
.PHONY: protocol
protocol: tools ## take the commit protocol's model step by step in a directory and in buckets of two stores
	@PROTOCOL_WALKS=$(PROTOCOL_WALKS) $(CARGO) test --workspace --locked --test e2e -- --nocapture protocol::

.PHONY: places
places: tools ## fail any two of four places at every two steps of a backup: fifty-four combinations
	@ALL_PLACES=1 $(CARGO) test --workspace --locked --test e2e -- --nocapture places::failures::

# How often each of the five is killed: KILLS=20 for a short one.
.PHONY: kills
kills: tools ## kill removals and verifications at any moment, and see what the next run leaves
	@KILLS=$(or $(KILLS),200) $(CARGO) test --workspace --locked --test e2e -- kills::

# SCALE=31 tries every case that the axes make, which takes hours; without it about one of thirty is. KILLS=200 kills each command so often.
# ONLY=network takes one family, ONLY=network/prune/… what begins so, whatever the scale. The results are in target/torture.
.PHONY: torture
torture: tools ## break network, servers and disks under every command, and see that nothing is silent or lost
	@$(CARGO) run --quiet --locked --bin torture -- $(if $(SCALE),--scale $(SCALE)) $(if $(KILLS),--kills $(KILLS)) \
	  $(if $(ONLY),--only $(ONLY)) $(ARGUMENTS)

.PHONY: torture-docs
torture-docs: ## write what `make torture` came to into docs/reliability.md
	@$(CARGO) run --quiet --locked --bin torture -- --docs

# Seeds 0 to 999,999; FROM=n begins elsewhere. `make test` has the first 3,000. A failure names its history: FROM=that HISTORIES=1.
HISTORIES ?= 1000000
.PHONY: histories
histories: ## hold retention's promises in a million random histories
	@HISTORIES=$(HISTORIES) $(CARGO) test --release --locked -p catalog --test histories -- --nocapture

# Hours; SHARD=3/8 takes the fourth of eight parts, ARGUMENTS='--file core/catalog/src/retention/rules.rs' those of a file. What nobody
# noticed stands in target/mutants.out/missed.txt.
.PHONY: mutants
mutants: ## change the rules, and the commit protocol's model, in every way, and see that a unit test notices (cargo install cargo-mutants --locked)
	@command -v cargo-mutants > /dev/null || \
	  { echo 'error: cargo-mutants is missing' >&2; echo 'hint: cargo install cargo-mutants --locked' >&2; exit 1; }
	CARGO_TARGET_$(shell rustc -vV | sed -n 's/^host: //p' | tr a-z- A-Z_)_RUNNER=$(CURDIR)/tests/mutants-runner.py \
	  $(CARGO) mutants --config tests/mutants.toml --package catalog --package protocol --output target $(if $(SHARD),--shard $(SHARD)) $(ARGUMENTS)

# An hour and more, and some gigabytes under target/coverage, where it has a target folder of its own. ARGUMENTS='--lib' counts what unit
# tests run; `make coverage-lines ROOM=agent/src/commands` prints what none ran.
.PHONY: coverage
coverage: tools ## count the lines of core/, agent/ and lambdas/ that tests run
	@tests/coverage.sh $(ARGUMENTS)

.PHONY: coverage-lines
coverage-lines: ## print each line below ROOM that nothing ran when `make coverage` ran last
	@tests/coverage.sh report $(ROOM)

# What it keeps of eighty-seven snapshots under sixty-four policies; `make test` holds ours to what was written down.
.PHONY: restic
restic: ## ask `restic forget` again what it keeps, and compare
	@tests/tools.sh restic
	@python3 tests/restic.py core/catalog/src/retention/tests/restic.json
	@$(CARGO) test --locked -p catalog --lib -- restic::

# TARGET=walk takes one; tests/fuzz/run.sh has their names. It needs cargo-fuzz and a C++ compiler, and says so.
MINUTES ?= 1
.PHONY: fuzz
fuzz: ## feed what reads strangers' bytes such as a fuzzer makes up, each target for MINUTES
	@tests/fuzz/run.sh $(MINUTES) $(TARGET)

.PHONY: fuzz-keep
fuzz-keep: ## keep in tests/fuzz/corpus the fewest inputs that reach what `make fuzz` reached
	@tests/fuzz/run.sh keep $(TARGET)

# CORRUPTIONS=500 and BOMB_MIB=32 are what `make test` has.
.PHONY: torture-bytes
torture-bytes: tools ## damage sixteen thousand archives at random, and read bombs of 10 GB: each gets a verdict
	@BOMB_MIB=$(or $(BOMB_MIB),10000) $(CARGO) test --workspace --locked --test walk -- --nocapture bombs::
	@CORRUPTIONS=$(or $(CORRUPTIONS),10000) PLACES=3000 $(CARGO) test --workspace --locked --test e2e -- --nocapture damage::

# PARTS_BYTES=8589934592 for a longer one.
.PHONY: parts
parts: tools ## verify four gigabytes in parts of 64 MiB, by one and by two at once, and in one piece (docs/performance.md)
	@PARTS_BYTES=$(or $(PARTS_BYTES),4294967296) $(CARGO) test --workspace --locked --test e2e -- --nocapture functions::parts::verdict

# VAULT_BACKUPS and VAULT_ORDERS for others.
.PHONY: vault
vault: tools ## copy fifty backups to a vault in twenty random orders: no false damage, and every damaged one found
	@VAULT_BACKUPS=$(or $(VAULT_BACKUPS),50) VAULT_ORDERS=$(or $(VAULT_ORDERS),20) \
	  $(CARGO) test --workspace --locked --test e2e -- --nocapture functions::vault::backups

# An hour or so, and some gigabytes of memory: a bucket of 270,000 objects, and bursts of up to a thousand backups.
.PHONY: scale
scale: tools ## measure a thousand databases and a burst of as many backups (docs/performance.md)
	@SCALE=1 $(CARGO) test --workspace --locked --test e2e -- --nocapture --test-threads 1 functions::scale::many functions::burst::

# Licences, bans and sources: no network but for crates not yet fetched. Advisories need RustSec's database from it:
# `cargo deny check advisories`.
.PHONY: deny
deny: ## check the dependencies' licences and sources (cargo install cargo-deny --locked)
	@command -v cargo-deny > /dev/null || \
	  { echo 'error: cargo-deny is missing' >&2; echo 'hint: cargo install cargo-deny --locked' >&2; exit 1; }
	$(CARGO) deny --locked check licenses bans sources

# Chromium is 350 MB: not part of `make test`, which has the page's own checks. Pictures in target/report-look; OUT takes others.
.PHONY: report-look
report-look: tools ## show the page of `lastgood report` to Chromium: three widths, two themes, axe-core
	@tests/tools.sh browser
	@$(CARGO) build --workspace --locked --quiet --bin lastgood
	@python3 tests/report_look.py target/debug/lastgood "$$(command -v chromium)" target/axe/package/axe.min.js target/report-look

.PHONY: demo
demo: tools ## see it work: back up, verify, restore and compare, on this machine alone
	@$(CARGO) run --quiet --locked --bin demo

# ARCHITECTURES='x86_64 arm64' builds both; arm64 needs `rustup target add aarch64-unknown-linux-gnu` first.
.PHONY: functions
functions: ## build what deploys without a compiler: target/lastgood-functions, and it as a .tar.gz
	@infra/functions.sh $(ARCHITECTURES)

# Half an hour of processor time: the agent and the functions are compiled for a release. ARGUMENTS='--binary FILE' packs what is built.
.PHONY: dist
dist: tools ## make what a release has, in target/dist: .deb, .rpm, .tar.gz, functions, bills of materials, SHA256SUMS
	@agent/packaging/dist.sh $(ARGUMENTS)

# The system of Debian's releases is made once, under target/roots. TWICE=1 compiles everything a second time from nothing, in another
# folder, and compares every byte.
.PHONY: dist-test
dist-test: tools ## install what `make dist` made on Debian 12 and 13, back up, restore, purge
	@tests/tools.sh dist
	@tests/packages/dist-test.sh $(if $(TWICE),--twice)

# AGENT=FILE is the `lastgood` of an earlier release: its backups must succeed under today's stack. An earlier checkout's `make
# earlier` tries today's agent under the stack of then.
.PHONY: earlier
earlier: tools ## live a stack's life through with another release's agent (AGENT=FILE)
	@test -x '$(AGENT)' || { echo 'error: AGENT names no program' >&2; echo 'hint: make earlier AGENT=/path/to/lastgood' >&2; exit 2; }
	@AGENT='$(AGENT)' $(CARGO) test --workspace --locked --test e2e -- smoke:: identities::commands::each_command

# In the account that the environment names, a sandbox's: it makes a stack, a user and a queue, and removes them again. `make
# test` runs the same against the local AWS.
.PHONY: cloud-smoke
cloud-smoke: tools functions ## live a stack's life through in a sandbox account, by its administrator's credentials
	@$(CARGO) run --quiet --locked --bin cloud-smoke -- target/lastgood-functions

# EMAIL and PARAMETERS (a file like infra/parameters.example) may be left out; docs/cloud.md says what follows.
.PHONY: deploy
deploy: ## put the cloud side into your AWS account: make deploy STACK=backups EMAIL=you@example.org
	@infra/deploy.sh $(STACK) $(PARAMETERS) $(if $(EMAIL),Email=$(EMAIL))
