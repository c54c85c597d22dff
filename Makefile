# Détente. `make help` lists what there is.
#
# A machine needs Go 1.26 or later, make and git. Everything else is brought by
# this file: the Go toolchain below and all modules by the go command, the
# linters into .tools/, each in a pinned version.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The compiler that go.mod names, whichever go command is installed.
export GOTOOLCHAIN := go1.27.4

# Tests over real data of others run where it lies beside this checkout, or
# where DETENTE_TESTDATA says; elsewhere they skip and say so.
ifndef DETENTE_TESTDATA
ifneq ($(wildcard $(CURDIR)/../shared/data/PROVENANCE.md),)
export DETENTE_TESTDATA := $(abspath $(CURDIR)/../shared/data)
endif
endif

# The commit is stamped into the program where git can tell it.
BUILDVCS := $(shell git rev-parse --quiet --verify HEAD >/dev/null 2>&1 && git status --porcelain >/dev/null 2>&1 && echo auto || echo false)
BUILD := CGO_ENABLED=0 go build -trimpath -buildvcs=$(BUILDVCS)
TOOLS := .tools

GOLANGCI_LINT := v2.15.0
STATICCHECK := v0.8.2
GOVULNCHECK := v1.9.0

# Two packages at a time: several start processes of their own and measure time.
TEST := go test -p 2 -timeout 20m $(if $(CI),-count=1)

SEEDS ?= 200
FIRST ?= 1
SEED ?= 1
DAYS ?= 30
KILLS ?= 200
FUZZTIME ?= 30s
JSON ?=
ENTRIES ?= 1000
WAITING ?= 1000
BLOB ?= 67108864
STIX ?=
KEEP ?=

# Shorter runs of the long targets, as part of make test.
TEST_SEEDS ?= 12
TEST_KILLS ?= 10
TEST_DAYS ?= 3

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: ## fetch the toolchain and the modules, look for what tests need
	@command -v go >/dev/null || { echo "setup: there is no go command; install Go 1.26 or later" >&2; exit 1; }
	@go version >&2
	@go mod download
	@command -v unshare >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get install -y --no-install-recommends util-linux >&2; } \
		|| echo "setup: there is no unshare command (package util-linux); the test without a network will skip" >&2

.PHONY: build
build: setup ## put the program at bin/detente
	@mkdir -p bin
	@$(BUILD) -o bin/detente ./cmd/detente

.PHONY: test
test: setup ## everything that must hold before a change goes in
	go vet ./...
	$(TEST) ./internal/policy/...
	$(TEST) ./...
	$(MAKE) build
	$(MAKE) sim SEEDS=$(TEST_SEEDS)
	$(MAKE) watch DAYS=$(TEST_DAYS)
	$(MAKE) kill KILLS=$(TEST_KILLS)
	$(MAKE) tribunal
	$(MAKE) story
	$(MAKE) demo

.PHONY: race
race: setup ## the packages that start goroutines, under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -p 2 -timeout 40m ./store/... ./line/... ./station/... ./api/... ./interop/outlet/... ./cmd/detente

.PHONY: demo
demo: build ## two stations, one line, every step told (STIX=file, KEEP=1)
	@STIX='$(STIX)' KEEP='$(KEEP)' go run -buildvcs=false ./cmd/demo

.PHONY: sim
sim: setup ## the real code under faults, from seeds (SEEDS=n FIRST=k)
	@go run -buildvcs=false ./cmd/simulate -seeds '$(SEEDS)' -first '$(FIRST)'

.PHONY: watch
watch: setup ## a month of two manned stations in the simulator (DAYS=n FIRST=seed)
	@go run -buildvcs=false ./cmd/watch -days '$(DAYS)' -first '$(FIRST)'

.PHONY: story
story: build ## a year between two parties, told in the simulator; both sides' state and an arbiter's from the record (SEED=n)
	@go run -buildvcs=false ./cmd/story -seed '$(SEED)'

.PHONY: kill
kill: build ## real processes, killed at random instants (KILLS=n)
	@go run -buildvcs=false ./cmd/kill -kills '$(KILLS)'

.PHONY: tribunal
tribunal: build ## twenty records with a fraud in each and five honest ones, judged by the verifier
	@go run -buildvcs=false ./cmd/tribunal

.PHONY: bench
bench: build ## the floor and the product beside it (JSON=1 for lines that tools read, ENTRIES=n WAITING=n BLOB=bytes)
	@go run -buildvcs=$(BUILDVCS) ./cmd/bench $(if $(filter-out 0,$(JSON)),-json) -entries '$(ENTRIES)' -waiting '$(WAITING)' -blob '$(BLOB)'

.PHONY: fuzz
fuzz: setup ## each decoder for a while (FUZZTIME=30s)
	@grep -rlE --include='*_test.go' '^func Fuzz' . | sort | while read -r file; do \
		for target in $$(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$$file"); do \
			echo "fuzz: $$(dirname "$$file") $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime '$(FUZZTIME)' "./$$(dirname "$$file")" </dev/null || exit 1; \
		done; \
	done

.PHONY: invariants
invariants: setup ## which tests cover which promise
	@go run -buildvcs=false ./internal/policy/cmd-invariants

# A tool is built once and kept under its version, so that a new pin builds anew.
$(TOOLS)/golangci-lint-$(GOLANGCI_LINT):
	@$(call install,github.com/golangci/golangci-lint/v2/cmd/golangci-lint,$(GOLANGCI_LINT))
$(TOOLS)/staticcheck-$(STATICCHECK):
	@$(call install,honnef.co/go/tools/cmd/staticcheck,$(STATICCHECK))
$(TOOLS)/govulncheck-$(GOVULNCHECK):
	@$(call install,golang.org/x/vuln/cmd/govulncheck,$(GOVULNCHECK))

define install
echo "lint: building $(notdir $(1)) $(2)" >&2; \
GOFLAGS= GOBIN='$(CURDIR)/$(TOOLS)' go install '$(1)@$(2)' && mv '$(TOOLS)/$(notdir $(1))' '$@'
endef

.PHONY: lint
lint: setup $(TOOLS)/golangci-lint-$(GOLANGCI_LINT) $(TOOLS)/staticcheck-$(STATICCHECK) $(TOOLS)/govulncheck-$(GOVULNCHECK) ## golangci-lint, staticcheck, govulncheck
	$(TOOLS)/golangci-lint-$(GOLANGCI_LINT) run ./...
	$(TOOLS)/staticcheck-$(STATICCHECK) ./...
	@$(MAKE) vuln

# The database of vulnerabilities lies on the network. Where it cannot be
# reached that is said and nothing fails; a vulnerability found fails (code 3).
.PHONY: vuln
vuln: setup $(TOOLS)/govulncheck-$(GOVULNCHECK) ## known vulnerabilities in code that is reached
	@code=0; out=$$($(TOOLS)/govulncheck-$(GOVULNCHECK) ./... 2>&1) || code=$$?; printf '%s\n' "$$out"; \
	if [ $$code != 0 ] && grep -q 'fetching vulnerabilities' <<<"$$out" && [ $$code != 3 ]; then \
		echo "vuln: NOT CHECKED: the vulnerability database cannot be reached from here" >&2; \
	else exit $$code; fi

.PHONY: clean
clean: ## remove what was built and left behind
	rm -rf bin demo-out kill-out bench-out story-out .tools
