package engineio

import (
	"fmt"
	"slices"
	"strings"
)

// check panics on fields that make sense each by itself and not together, or that would be silently without effect.
// Defaults are filled in. Every message names the field, its value, and what to do.
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

// maxConcurrentHandlers bounds the goroutines of one session.
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

// checkOrigins refuses "*" beside what it makes void, or dangerous.
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
