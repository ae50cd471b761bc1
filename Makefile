# make run    serve the chat at http://127.0.0.1:3000
# make check  before each commit: format, vet, lint and the Go tests once, with Go alone; three minutes on two cores
# make test   everything: also the race detector, both modes, foreign clients, proxies and a browser; twenty minutes
# make chaos, abuse, soak   what docs/reliability.md promises, at full size: 9, 6 and 12 minutes

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
NODE       ?= node
NPM        ?= npm
NPM_INSTALL = $(NPM) install --no-audit --no-fund --no-save --loglevel=error
ADDR        = 127.0.0.1:3000

# Every folder with a go.mod is a module: "." and those below it, which are found here and need no list.
# each runs a command in all of them, or in those given.
MODULES    := . $(patsubst ./%/go.mod,%,$(sort $(shell find . -mindepth 2 -name node_modules -prune -o -mindepth 2 -name go.mod -print)))
LINUX_ONLY  = benchmarks
PORTABLE    = $(filter-out $(LINUX_ONLY),$(MODULES))
each        = @for m in $(or $(2),$(MODULES)); do echo "$$m: $(1)"; (cd "$$m" && $(1)) || exit 1; done

export NODE NPM

.NOTPARALLEL:
.PHONY: run check test preflight vet lint quick unit api alloc interop chaos abuse soak bench bench-peers fuzz chat-deps interop-deps clean

run: chat-deps
	go run ./examples/chat -addr $(ADDR)

check: vet lint quick

test: preflight vet lint unit alloc interop

# All that the steps of make test need is here before any of them begins, or is named.
preflight:
	@.ci/preflight
	@$(MAKE) --no-print-directory chat-deps interop-deps
	$(call each,go mod download)
	go run $(STATICCHECK) -version

vet:
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	$(call each,go vet ./...)
	go vet -tags interop ./client
	$(call each,GOOS=windows go vet ./...,$(PORTABLE))
	$(call each,GOOS=darwin go vet ./...,$(PORTABLE))

lint:
	$(call each,go run $(STATICCHECK) ./...)

quick:
	$(call each,go test ./...)

# The committed fuzz corpora run as tests. Everything that serves runs in both modes: WebSockets in
# fasthttp's goroutine, and, as engineio.Tune has it, in ours.
unit:
	$(call each,go test -race -shuffle=on ./...)
	ENGINEIO_TUNED=1 go test -race -shuffle=on ./...

# The listing of the public API, which a test compares, after a change that is meant.
api:
	go test -count=1 -run TestAPIIsListed . -api.update

# Allocations and memory mean nothing under the race detector.
alloc:
	go test -run 'Alloc|AreSmall' ./...

interop: interop-deps chat-deps
	cd interop && $(NODE) --test
	cd interop && ENGINEIO_TUNED=1 $(NODE) --test
	cd socketio/interop && $(NODE) --test
	cd socketio/interop && ENGINEIO_TUNED=1 $(NODE) --test
	PYTHON="$$($(NODE) interop/lib/programs.js python)" go test -race -tags interop -run Foreign ./client

# Go benchmarks.
bench:
	cd benchmarks && go test -run '^$$' -bench . .

# All servers side by side, and how our cost grows: half an hour on a machine that does nothing else,
# into benchmarks/results.
BENCH = -rounds 3 -duration 2s -warmup 1s
bench-peers:
	cd benchmarks && go run ./compare $(BENCH)
	cd benchmarks && go run ./compare -scale $(BENCH)

# Hundreds of clients that do everything wrong at once, with and without the race detector. It prints a seed, 0
# draws one; make chaos SEED=1 repeats its scripts.
SEED  = 0
CHAOS = -v -count=1 -timeout 30m -run Chaos ./internal/chaos -chaos.seed $(SEED) -chaos.duration 3m
chaos:
	go test $(CHAOS) -chaos.clients 300
	go test -race $(CHAOS) -chaos.clients 200

# Attacks by themselves, at full size.
abuse:
	go test -count=1 -timeout 20m -v ./internal/abuse -abuse.full

# 100,000 idle WebSockets and 20,000 parked polls for ten minutes.
SOAK =
soak:
	cd benchmarks && go run ./soak $(SOAK)

# Every fuzz target in turn, FUZZTIME of one CPU each.
FUZZTIME = 60s
fuzz:
	@for m in $(MODULES); do (cd $$m && go test -list '^Fuzz' ./... | awk '/^Fuzz/ {f[n++] = $$1} /^ok/ {for (i = 0; i < n; i++) print $$2, f[i]; n = 0}' | \
	while read -r pkg target; do \
		echo "$$pkg $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -parallel 1 $$pkg || exit 1; \
	done) || exit 1; done

chat-deps:
	cd examples/chat && $(NPM_INSTALL)

interop-deps:
	cd interop && $(NPM_INSTALL)
	cd socketio/interop && $(NPM_INSTALL)

clean:
	rm -rf interop/node_modules socketio/interop/node_modules examples/chat/node_modules
