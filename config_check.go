package engineio

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fasteio/engineio/codec"
)

// check panics on fields that contradict each other, or that would have no effect. It is called when defaults are
// filled in. Every message names the field, its value, and what to do.
func (c *Config) check() {
	c.checkPath()
	c.checkOrigins()
	nonsense := func(of bool, format string, args ...any) {
		if of {
			panic("engineio: Config." + fmt.Sprintf(format, args...))
		}
	}
	nonsense(c.HighWaterBytes > c.MaxQueuedBytes,
		"HighWaterBytes is %d, above MaxQueuedBytes, %d: a queue never holds that much; lower HighWaterBytes or raise MaxQueuedBytes", c.HighWaterBytes, c.MaxQueuedBytes)
	nonsense(c.LowWaterBytes > c.HighWaterBytes,
		"LowWaterBytes is %d, above HighWaterBytes, %d: lower it", c.LowWaterBytes, c.HighWaterBytes)
	nonsense(c.MaxSessionsPerIP > c.MaxSessions,
		"MaxSessionsPerIP is %d, above MaxSessions, %d: it would bound nothing; lower it, or leave it out", c.MaxSessionsPerIP, c.MaxSessions)
	nonsense(c.MaxHandshakeRatePerIP > c.MaxHandshakeRate,
		"MaxHandshakeRatePerIP is %d, above MaxHandshakeRate, %d: it would bound nothing; lower it, or leave it out", c.MaxHandshakeRatePerIP, c.MaxHandshakeRate)
	nonsense(c.MaxConcurrentMessages > maxConcurrentHandlers,
		"MaxConcurrentMessages is %d, must be %d or less: it is for each session", c.MaxConcurrentMessages, maxConcurrentHandlers)
}

// maxConcurrentHandlers is the most that MaxConcurrentMessages may be.
const maxConcurrentHandlers = 1 << 16

// checkPath refuses a Path that no request has: HTTP servers hand over paths without query, escapes, double slashes
// and dot segments.
func (c *Config) checkPath() {
	complain := func(what string) {
		panic(fmt.Sprintf("engineio: Config.Path is %q, %s: write the path alone, such as \"/engine.io/\"", c.Path, what))
	}
	for _, segment := range strings.Split(strings.Trim(c.Path, "/"), "/") {
		switch {
		case segment == "." || segment == "..":
			complain("with the segment " + segment)
		case segment == "" && c.Path != "/":
			complain("with two slashes in a row")
		}
	}
	if i := strings.IndexAny(c.Path, "?#%\\"); i >= 0 {
		complain("with a " + c.Path[i:i+1])
	}
	for _, r := range c.Path {
		if r <= ' ' || r == 0x7f {
			complain("with a space or a control character")
		}
	}
}

// checkOrigins refuses "*" together with fields that it makes useless or dangerous.
func (c *Config) checkOrigins() {
	if !slices.Contains(c.AllowedOrigins, "*") {
		return
	}
	if c.AllowCredentials {
		panic(`engineio: Config.AllowedOrigins has "*", and AllowCredentials is set: every page of the web would act as your users; ` +
			`list the origins, or say so by an AllowOrigin that returns true`)
	}
	if c.AllowOrigin != nil {
		panic(`engineio: Config.AllowedOrigins has "*", and AllowOrigin is set: it would never be asked; leave one of the two out`)
	}
}

// maxTime is the longest time that a browser's setTimeout can wait; for a longer one it fires at once.
const maxTime = (1<<31 - 1) * time.Millisecond

const (
	defaultMaxPayload  = 1_000_000
	maxMaxPayload      = 1 << 30
	defaultMaxQueued   = 1 << 20
	defaultMaxSessions = 100_000

	defaultMaxPackets       = 100_000
	defaultMaxQueuedTotal   = 1 << 30
	defaultMaxHandshakeRate = 10_000
)

// withDefaults fills in what was left out. It panics on values that make no sense.
func (c Config) withDefaults() Config {
	c.Path = "/" + strings.Trim(cmp.Or(c.Path, "/engine.io/"), "/") + "/"
	if c.Path == "//" {
		c.Path = "/"
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"PingInterval", &c.PingInterval, 25 * time.Second},
		{"PingTimeout", &c.PingTimeout, 20 * time.Second},
		{"UpgradeTimeout", &c.UpgradeTimeout, 10 * time.Second},
		{"WriteTimeout", &c.WriteTimeout, 10 * time.Second},
		{"BodyTimeout", &c.BodyTimeout, 20 * time.Second},
		{"CloseTimeout", &c.CloseTimeout, 5 * time.Second},
	} {
		*d.value = cmp.Or(*d.value, d.def)
		if *d.value < time.Millisecond || *d.value > maxTime {
			panic(fmt.Sprintf("engineio: Config.%s is %v, must be from 1ms to %v: write it as %d*time.Second", d.name, *d.value, maxTime,
				max(1, min(int64(*d.value), 60))))
		}
	}
	if c.PingInterval > maxTime-c.PingTimeout {
		panic("engineio: Config.PingInterval and PingTimeout together are more than the timers of browsers hold, 24 days")
	}
	return c.withDefaultLimits().withDefaultLists()
}

func (c Config) withDefaultLimits() Config {
	atLeast := func(least int, name string, value *int, def int) {
		*value = cmp.Or(*value, def)
		if *value < least {
			panic(fmt.Sprintf("engineio: Config.%s is %d, must be %d or more", name, *value, least))
		}
	}
	atLeast(1, "MaxPayload", &c.MaxPayload, defaultMaxPayload)
	atLeast(1, "MaxPackets", &c.MaxPackets, defaultMaxPackets)
	atLeast(1, "MaxQueuedBytes", &c.MaxQueuedBytes, defaultMaxQueued)
	atLeast(1, "MaxQueuedBytesTotal", &c.MaxQueuedBytesTotal, defaultMaxQueuedTotal)
	atLeast(1, "HighWaterBytes", &c.HighWaterBytes, max(c.MaxQueuedBytes/2, 1))
	atLeast(1, "MaxSessions", &c.MaxSessions, defaultMaxSessions)
	atLeast(1, "MaxSessionsPerIP", &c.MaxSessionsPerIP, c.MaxSessions)
	atLeast(1, "MaxHandshakeRate", &c.MaxHandshakeRate, defaultMaxHandshakeRate)
	atLeast(1, "MaxHandshakeRatePerIP", &c.MaxHandshakeRatePerIP, c.MaxHandshakeRate)
	atLeast(1, "CompressionThreshold", &c.CompressionThreshold, 1024)
	atLeast(1, "MaxConcurrentMessages", &c.MaxConcurrentMessages, 1)
	atLeast(0, "LowWaterBytes", &c.LowWaterBytes, c.HighWaterBytes/4)
	atLeast(0, "MaxMessageRate", &c.MaxMessageRate, 0)
	atLeast(0, "MaxByteRate", &c.MaxByteRate, 0)
	if c.MaxPayload > maxMaxPayload {
		panic(fmt.Sprintf("engineio: Config.MaxPayload is %d, must be %d or less", c.MaxPayload, maxMaxPayload))
	}
	c.Overflow.check()
	return c
}

func (c Config) withDefaultLists() Config {
	c.Transports = slices.Clone(c.Transports)
	if len(c.Transports) == 0 {
		c.Transports = []Transport{Polling, WebSocket}
	}
	for _, t := range c.Transports {
		if t != Polling && t != WebSocket {
			panic(fmt.Sprintf("engineio: Config.Transports has an unknown %v", t))
		}
	}
	c.Revisions = slices.Clone(c.Revisions)
	if len(c.Revisions) == 0 {
		c.Revisions = []Revision{V4, V3}
	}
	for _, r := range c.Revisions {
		if r != V3 && r != V4 {
			panic(fmt.Sprintf("engineio: Config.Revisions has %d, must be 3 or 4", r))
		}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.MarshalJSON == nil {
		c.MarshalJSON = json.Marshal
	}
	if c.Cookie != nil {
		cookie := c.Cookie.withDefaults()
		cookie.check()
		c.Cookie = &cookie
	}
	if c.InitialMessage != nil {
		m := *c.InitialMessage
		m.Data = slices.Clone(m.Data)
		if !m.Binary && (!utf8.Valid(m.Data) || bytes.IndexByte(m.Data, codec.Separator) >= 0) {
			panic("engineio: Config.InitialMessage is not a text that every transport can carry")
		}
		c.InitialMessage = &m
	}
	return c
}
