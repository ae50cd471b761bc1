package engineio

import (
	"maps"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"
)

// An admission bounds how fast sessions are opened, and how many of one address.
type admission struct {
	every      time.Duration // between two handshakes
	everyOfOne time.Duration // of one address
	perAddress int           // sessions of one address
	tracks     bool          // addresses have bounds of their own

	mu        sync.Mutex
	all       bucket // of all handshakes
	addresses map[netip.Addr]address
	peak      int // how many there were since the map was made
}

// An address is one from which there are sessions, or were handshakes a second ago.
type address struct {
	sessions   int
	handshakes bucket
}

func newAdmission(c Config) *admission {
	return &admission{
		every:      share(c.MaxHandshakeRate),
		everyOfOne: share(c.MaxHandshakeRatePerIP),
		perAddress: c.MaxSessionsPerIP,
		tracks:     c.MaxSessionsPerIP < c.MaxSessions || c.MaxHandshakeRatePerIP < c.MaxHandshakeRate,
		addresses:  make(map[netip.Addr]address),
	}
}

// reserve counts a handshake and the session that it may open, or refuses it.
func (a *admission) reserve(from netip.Addr, now time.Duration) *RequestError {
	a.mu.Lock()
	defer a.mu.Unlock()
	if wait := a.all.wait(now, a.every); wait > 0 {
		return retryLater(503, "Too many handshakes", wait, errRate)
	}
	if a.tracks {
		from = network(from)
		one := a.addresses[from]
		if one.sessions >= a.perAddress {
			return retryLater(429, "Too many sessions from this address", unavailableTime, errSessionsOfOne)
		}
		if wait := one.handshakes.wait(now, a.everyOfOne); wait > 0 {
			return retryLater(429, "Too many handshakes from this address", wait, errRateOfOne)
		}
		one.sessions++
		one.handshakes.take(now, a.everyOfOne)
		a.addresses[from] = one
		a.sweep(now)
	}
	a.all.take(now, a.every)
	return nil
}

// release ends what reserve has counted, when the session ends.
func (a *admission) release(from netip.Addr) {
	if !a.tracks {
		return
	}
	from = network(from)
	a.mu.Lock()
	one := a.addresses[from]
	one.sessions--
	assert(one.sessions >= 0, "more sessions of an address ended than began")
	a.addresses[from] = one
	a.mu.Unlock()
}

// sweep deletes addresses that count for nothing any more. Each handshake looks at three addresses, its own perhaps among
// them, so there are never many more of those than of others. The caller holds mu.
func (a *admission) sweep(now time.Duration) {
	a.peak = max(a.peak, len(a.addresses))
	looks := 3
	for from, one := range a.addresses { // begins anywhere
		if one.sessions == 0 && one.handshakes.empty(now) {
			delete(a.addresses, from)
		}
		if looks--; looks == 0 {
			break
		}
	}
	if len(a.addresses) < a.peak/4 { // a map does not shrink, and walking over its empty places takes long
		a.addresses, a.peak = maps.Collect(maps.All(a.addresses)), len(a.addresses)
	}
}

// network is what counts as one address: of IPv6 the first 64 bits, which belong to one customer of a provider. Clients
// without an address count as one, the zero Addr, so that the bounds hold for them too.
func network(a netip.Addr) netip.Addr {
	if a.Is4() {
		return a
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return p.Addr()
}

// unavailableTime is how long clients are asked to wait when it is not known how long it will take.
const unavailableTime = 5 * time.Second

// retryLater refuses a handshake that may succeed later.
func retryLater(status int, message string, wait time.Duration, err error) *RequestError {
	seconds := int64((wait + time.Second - 1) / time.Second)
	return &RequestError{
		Status: status, Code: CodeBadRequest, Message: message, Err: err,
		Header: http.Header{"Retry-After": {strconv.FormatInt(seconds, 10)}},
	}
}

// admit counts a session that is about to open.
func (srv *Server) admit(from netip.Addr) *RequestError {
	if !from.IsValid() && srv.admission.tracks {
		srv.addressless.Do(func() {
			srv.config.Logger.Warn("engineio: a client has no IP address, as on a Unix socket: all such clients count as one for " +
				"MaxSessionsPerIP and MaxHandshakeRatePerIP; for a proxy that sets X-Forwarded-For, list \"unix\" in Config.TrustedProxies")
		})
	}
	srv.busy.add() // before draining is read, or Shutdown could miss the session
	err := srv.admission.reserve(from, srv.now())
	if err == nil && !srv.places.tryAdd(srv.config.MaxSessions) {
		srv.admission.release(from)
		err = retryLater(503, "Too many sessions", unavailableTime, errSessions)
	}
	if err == nil && srv.draining.Load() {
		srv.releasePlace(from)
		err = errDraining()
	}
	if err != nil {
		srv.busy.done()
	}
	return err
}

func errDraining() *RequestError {
	return retryLater(503, "Server is shutting down", unavailableTime, ErrShutdown)
}

// releasePlace gives back what admit has counted for a session, but for busy, which the caller ends.
func (srv *Server) releasePlace(from netip.Addr) {
	srv.admission.release(from)
	srv.places.done()
}
