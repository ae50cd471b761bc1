# make run    serve the chat at http://127.0.0.1:3000
# make test   everything: vet, lint, unit and race tests, fuzz seeds, foreign clients, browser
# make chaos, abuse, soak   what docs/reliability.md promises, at full size: 9, 6 and 12 minutes

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
NPM_INSTALL = npm install --no-audit --no-fund --no-save --loglevel=error
ADDR        = 127.0.0.1:3000
MODULES     = benchmarks internal/conformance/peers
SUDO        = $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: run test vet lint unit alloc interop chaos abuse soak bench bench-peers fuzz chat-deps interop-deps debian clean

run: chat-deps
	go run ./examples/chat -addr $(ADDR)

test: vet lint unit alloc interop

vet:
	@test -z "$$(gofmt -l .)" || { echo "gofmt would change:"; gofmt -l .; exit 1; }
	go vet ./...
	for m in $(MODULES); do (cd $$m && go vet ./...) || exit 1; done
	GOOS=windows go vet . ./codec ./fiber ./middleware ./internal/...
	GOOS=darwin go vet . ./codec ./fiber ./middleware ./internal/...

lint:
	go run $(STATICCHECK) ./...
	for m in $(MODULES); do (cd $$m && go run $(STATICCHECK) ./...) || exit 1; done

# The committed fuzz corpora run as tests. Everything that serves runs in both modes: WebSockets in
# fasthttp's goroutine, and, as engineio.Tune has it, in ours.
unit:
	go test -race -shuffle=on ./...
	ENGINEIO_TUNED=1 go test -race -shuffle=on ./...
	for m in $(MODULES); do (cd $$m && go test -race -shuffle=on ./...) || exit 1; done

# Allocations and memory mean nothing under the race detector.
alloc:
	go test -run 'Alloc|AreSmall' ./...

interop: interop-deps chat-deps debian
	cd interop && node --test
	cd interop && ENGINEIO_TUNED=1 node --test
	go test -race -tags interop -run Foreign ./client

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
	@go test -list '^Fuzz' ./... | awk '/^Fuzz/ {f[n++] = $$1} /^ok/ {for (i = 0; i < n; i++) print $$2, f[i]; n = 0}' | \
	while read -r pkg target; do \
		echo "$$pkg $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -parallel 1 $$pkg || exit 1; \
	done

chat-deps:
	cd examples/chat && $(NPM_INSTALL)

interop-deps:
	cd interop && $(NPM_INSTALL)

# Debian's browser and Python client, for the interop tests.
debian:
	@missing=$$(for p in $$(cat interop/apt-packages.txt); do dpkg -s $$p >/dev/null 2>&1 || echo $$p; done); \
	[ -z "$$missing" ] || { $(SUDO) apt-get update -qq && \
		DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -qq --no-install-recommends $$missing >/dev/null; }

clean:
	rm -rf interop/node_modules examples/chat/node_modules
