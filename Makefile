# `make` is what a change has to pass: form, vet, lint, generated files, tests.
# It leaves the tree clean where everything generated is committed.

GO ?= $(shell command -v go || ls -1 /usr/local/go/bin/go /usr/lib/go-*/bin/go 2>/dev/null | sort -V | tail -n 1)
export GOTOOLCHAIN ?= auto
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# A version is stamped into the binary where git can be asked for one.
BUILDVCS := $(shell git status >/dev/null 2>&1 && echo true || echo false)

# Where the runbooks are that people read. testdata holds broken ones on purpose.
HCL_FOLDERS := $(shell git ls-files 'runbooks/*.hcl' 'examples/*.hcl' 2>/dev/null | xargs -r dirname | sort -u)

export GO

.DEFAULT_GOAL := all
.PHONY: all build format format-check vet lint generate test bench crash race-locks soak fuzz demo setup clean

all: setup format-check vet lint generate test

# Install what building and testing need and this machine lacks.
setup:
	@scripts/setup

build:
	$(GO) build -buildvcs=$(BUILDVCS) -o bin/runbook ./cmd/runbook

# Put Go and HCL files into the usual form.
format: build
	gofmt -w cmd engine providers examples
	bin/runbook fmt $(HCL_FOLDERS)

format-check: build
	@bad=$$(gofmt -l cmd engine providers examples); \
	if [ -n "$$bad" ]; then printf 'make format would change:\n%s\n' "$$bad"; exit 1; fi
	bin/runbook fmt --check $(HCL_FOLDERS)

vet:
	$(GO) vet ./...

lint:
	$(GO) run $(STATICCHECK) ./...

# Write the generated code and reference anew.
generate:
	$(GO) generate ./...

# Every test, from nothing; ends with "N passed, N failed".
test: setup
	@scripts/test

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./engine/... ./providers/protocol/... ./providers/dvc

# Kill the real engine ten thousand times, and count what was done.
crash:
	$(GO) test ./cmd/runbook/internal/crash -run Killed -kills 10000 -timeout 0 -count 1 -v

# Race two to thirty-two real engines for the same resources, 500 times.
race-locks:
	$(GO) test ./cmd/runbook/internal/race -rounds 500 -timeout 0 -count 1 -v

# Fuzz every decoder of outside bytes for ten minutes each.
FUZZTIME ?= 10m
fuzz:
	@scripts/fuzz $(FUZZTIME)

# Apply, kill and resume for an hour; memory and descriptors must stay flat.
DURATION ?= 1h
soak:
	$(GO) test ./cmd/runbook/internal/crash -run Soak -soak $(DURATION) -timeout 0 -count 1 -v

# A real system, broken and repaired before your eyes.
demo:
	@scripts/demo

clean:
	if [ -d examples/lab/.state ]; then examples/lab/lab destroy; fi
	rm -rf bin dist
