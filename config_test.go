package engineio

import (
	"log/slog"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

func TestConfigDefaults(t *testing.T) {
	c := New(Config{}).Config()
	for name, ok := range map[string]bool{
		"Path":                c.Path == "/engine.io/",
		"PingInterval":        c.PingInterval == 25*time.Second,
		"PingTimeout":         c.PingTimeout == 20*time.Second,
		"UpgradeTimeout":      c.UpgradeTimeout == 10*time.Second,
		"WriteTimeout":        c.WriteTimeout == 10*time.Second,
		"CloseTimeout":        c.CloseTimeout == 5*time.Second,
		"MaxPayload":          c.MaxPayload == 1_000_000,
		"MaxQueuedBytes":      c.MaxQueuedBytes == 1<<20,
		"MaxSessions":         c.MaxSessions == 100_000,
		"Transports":          slices.Equal(c.Transports, []Transport{Polling, WebSocket}),
		"Revisions":           slices.Equal(c.Revisions, []Revision{V4, V3}),
		"Overflow":            c.Overflow == OverflowReject,
		"BodyTimeout":         c.BodyTimeout == 20*time.Second,
		"MaxPackets":          c.MaxPackets == 100_000,
		"rates":               c.MaxMessageRate == 0 && c.MaxByteRate == 0,
		"MaxQueuedBytesTotal": c.MaxQueuedBytesTotal == 1<<30,
		"water":               c.HighWaterBytes == 1<<19 && c.LowWaterBytes == 1<<17,
		"per IP":              c.MaxSessionsPerIP == c.MaxSessions && c.MaxHandshakeRatePerIP == c.MaxHandshakeRate,
		"handshakes":          c.MaxHandshakeRate == 10_000,
		"Logger":              c.Logger == slog.Default(),
	} {
		if !ok {
			t.Errorf("the default of %s is another", name)
		}
	}
}

func TestConfigPath(t *testing.T) {
	for given, want := range map[string]string{
		"": "/engine.io/", "/": "/", "//": "/", "/a": "/a/", "/a/": "/a/", "a/b": "/a/b/", "/a/b//": "/a/b/",
	} {
		srv := New(Config{Path: given})
		if got := srv.Config().Path; got != want {
			t.Errorf("Path %q becomes %q, want %q", given, got, want)
		}
		if !srv.Match([]byte(want)) || !srv.Match([]byte(strings.TrimSuffix(want, "/"))) || srv.Match([]byte(want+"x")) {
			t.Errorf("Path %q matches other paths", given)
		}
	}
}

func TestConfigPanics(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
	}{
		{"PingInterval", Config{PingInterval: -1}},
		{"PingInterval", Config{PingInterval: math.MaxInt64}},
		{"PingTimeout", Config{PingTimeout: time.Millisecond - 1}},
		{"UpgradeTimeout", Config{UpgradeTimeout: 10}}, // somebody thought of seconds
		{"WriteTimeout", Config{WriteTimeout: -time.Second}},
		{"CloseTimeout", Config{CloseTimeout: 1}},
		{"MaxPayload", Config{MaxPayload: -1}},
		{"MaxQueuedBytes", Config{MaxQueuedBytes: -1}},
		{"MaxSessions", Config{MaxSessions: -1}},
		{"Transports", Config{Transports: []Transport{Polling, 3}}},
		{"Revisions", Config{Revisions: []Revision{V4, 5}}},
		{"Overflow", Config{Overflow: 4}},
		{"BodyTimeout", Config{BodyTimeout: -1}},
		{"UpgradeTimeout", Config{UpgradeTimeout: math.MaxInt64}}, // what is added to it would overflow
		{"WriteTimeout", Config{WriteTimeout: maxTime + 1}},
		{"CloseTimeout", Config{CloseTimeout: maxTime + 1}},
		{"MaxPayload", Config{MaxPayload: math.MaxInt}},
		{"MaxPayload", Config{MaxPayload: 1<<30 + 1}},
		{"MaxPackets", Config{MaxPackets: -1}},
		{"MaxMessageRate", Config{MaxMessageRate: -1}},
		{"MaxByteRate", Config{MaxByteRate: -1}},
		{"MaxQueuedBytesTotal", Config{MaxQueuedBytesTotal: -1}},
		{"HighWaterBytes", Config{HighWaterBytes: -1}},
		{"LowWaterBytes", Config{LowWaterBytes: -1}},
		{"LowWaterBytes", Config{HighWaterBytes: 10, LowWaterBytes: 11}},
		{"MaxSessionsPerIP", Config{MaxSessionsPerIP: -1}},
		{"MaxHandshakeRate", Config{MaxHandshakeRate: -1}},
		{"MaxHandshakeRatePerIP", Config{MaxHandshakeRatePerIP: -1}},
		{"AllowedOrigins", Config{AllowedOrigins: []string{"no origin at all"}}},
		{`AllowedOrigins has "*", and AllowCredentials`, Config{AllowedOrigins: []string{"https://a.example", "*"}, AllowCredentials: true}},
		{`AllowedOrigins has "*", and AllowOrigin`, Config{AllowedOrigins: []string{"*"}, AllowOrigin: func(*fasthttp.RequestCtx, string) bool { return false }}},
		{"HighWaterBytes is 2000000, above MaxQueuedBytes, 1048576: ", Config{HighWaterBytes: 2_000_000}},
		{"HighWaterBytes is 11, above MaxQueuedBytes, 10: ", Config{HighWaterBytes: 11, MaxQueuedBytes: 10}},
		{"MaxSessionsPerIP is 11, above MaxSessions, 10: ", Config{MaxSessions: 10, MaxSessionsPerIP: 11}},
		{"MaxHandshakeRatePerIP is 11, above MaxHandshakeRate, 10: ", Config{MaxHandshakeRate: 10, MaxHandshakeRatePerIP: 11}},
		{"MaxConcurrentMessages", Config{MaxConcurrentMessages: math.MaxInt32}}, // somebody thought it was for all sessions
		{`Path is "/engine.io/?EIO=4/", with a ?`, Config{Path: "/engine.io/?EIO=4"}},
		{"Path", Config{Path: "/engine.io#x"}},
		{"Path", Config{Path: "http://example.com/engine.io/"}},
		{"Path", Config{Path: "/a//b"}},
		{"Path", Config{Path: "/a/../b"}},
		{"Path", Config{Path: "/a%20b"}},
		{"Path", Config{Path: "/a b"}},
		{"Path", Config{Path: `\engine.io`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer func() {
				if message, _ := recover().(string); !strings.HasPrefix(message, "engineio: Config."+c.name) {
					t.Errorf("New panics with %q", message)
				}
			}()
			New(c.config)
		})
	}
}

// A client sets a timer of the sum of both, and timers of JavaScript end at 2^31 ms: one beyond
// that goes off at once. The sum of two durations may overflow as well.
func TestConfigHeartbeatBeyondTimers(t *testing.T) {
	const most = math.MaxInt32 * time.Millisecond
	New(Config{PingInterval: most - time.Minute, PingTimeout: time.Minute})
	defer func() {
		if recover() == nil {
			t.Error("New takes a heartbeat that no client can keep")
		}
	}()
	New(Config{PingInterval: most, PingTimeout: time.Minute})
}

// New copies the Config, and so does Config.
func TestConfigIsCopied(t *testing.T) {
	given := Config{Transports: []Transport{Polling}, Revisions: []Revision{V4}, AllowedOrigins: []string{"*"}}
	srv := New(given)
	given.Transports[0], given.Revisions[0] = WebSocket, V3
	got := srv.Config()
	got.Transports[0], got.Revisions[0], got.AllowedOrigins[0] = WebSocket, V3, "https://example.com"
	if c := srv.Config(); c.Transports[0] != Polling || c.Revisions[0] != V4 || c.AllowedOrigins[0] != "*" {
		t.Errorf("the configuration in force has changed: %v, %v, %v", c.Transports, c.Revisions, c.AllowedOrigins)
	}
}

func TestTransportNames(t *testing.T) {
	for transport, want := range map[Transport]string{Polling: "polling", WebSocket: "websocket", 0: "Transport(0)", 7: "Transport(7)"} {
		if got := transport.String(); got != want {
			t.Errorf("%d is %q, want %q", transport, got, want)
		}
	}
}
