package abuse

import (
	"encoding/json"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/valyala/fasthttp"
)

const specVariable = "ENGINEIO_ABUSE_SPEC"

// A spec is what a server under attack may differ in. The zero value has short times and a small MaxPayload,
// with fasthttp as it comes.
type spec struct {
	Fiber, Tuned bool

	PingInterval, PingTimeout   time.Duration
	UpgradeTimeout, ReadTimeout time.Duration
	MaxPayload, MaxSessions     int

	Cookie, Deflate    bool
	EveryOrigin        bool // AllowOrigin says yes to everything, so it is reflected
	Origins, Proxies   []string
	StreamRequestBody  bool
	MaxRequestBodySize int

	// Files are how many the process may have open; 0: as many as its parent.
	Files uint64

	// Goroutines are that many at once before anything else happens. Go keeps what describes a goroutine for
	// ever, half a kilobyte for each that there were at one time, and how many sessions end in the same moment
	// is chance.
	Goroutines int
}

const (
	maxPayload     = 100_000
	readBufferSize = 16 << 10
	upgradeTimeout = 1500 * time.Millisecond // enough for a normal client on a busy machine
)

// variants are the stacks, as they come and tuned.
var variants = []struct {
	name         string
	fiber, tuned bool
}{
	{"fasthttp", false, false}, {"fasthttp tuned", false, true}, {"fiber", true, false}, {"fiber tuned", true, true},
}

func (s spec) String() string {
	b, _ := json.Marshal(s) // plain fields always marshal
	return string(b)
}

func (s spec) config() engineio.Config {
	c := engineio.Config{
		PingInterval:      s.PingInterval,
		PingTimeout:       s.PingTimeout,
		UpgradeTimeout:    s.UpgradeTimeout,
		CloseTimeout:      time.Second,
		MaxPayload:        maxPayload,
		MaxSessions:       s.MaxSessions,
		MaxHandshakeRate:  1 << 30, // or nothing else would be tried
		AllowedOrigins:    s.Origins,
		AllowCredentials:  true,
		TrustedProxies:    s.Proxies,
		PerMessageDeflate: s.Deflate,
	}
	if s.UpgradeTimeout == 0 {
		c.UpgradeTimeout = upgradeTimeout
	}
	if s.MaxPayload != 0 {
		c.MaxPayload = s.MaxPayload
	}
	if s.Cookie {
		c.Cookie = &engineio.Cookie{}
	}
	if s.EveryOrigin {
		c.AllowOrigin = func(*fasthttp.RequestCtx, string) bool { return true }
	}
	return c
}

// revisions are those a client may speak.
var revisions = []codec.Revision{codec.V4, codec.V3}
