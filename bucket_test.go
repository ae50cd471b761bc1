package engineio

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
)

// knock is a handshake from an address. One by WebSocket is not hijacked.
func knock(srv *Server, from, query string, header ...string) *fasthttp.RequestCtx {
	ctx := incoming("GET", query, header...)
	ctx.SetRemoteAddr(net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 4711)))
	done := ctx.Done() // of no bubble, and nothing to watch
	srv.httpServers.Store(&[]*httpServer{{done: done}})
	srv.ServeFastHTTP(ctx)
	return ctx
}

// stranger is address number i of many networks.
func stranger(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255) }

// theSame is always one address.
func theSame(int) string { return "10.0.0.1" }

// entrances are both ways to open a session.
var entrances = map[string]struct {
	query  string
	header []string
	status int
}{
	"polling":   {handshake4, nil, 200},
	"websocket": {webSocket4, upgradeHeader, 101},
}

// bounced checks a refused handshake, and returns for how long the client is asked to wait.
func bounced(t *testing.T, ctx *fasthttp.RequestCtx, status int, message string) time.Duration {
	t.Helper()
	r := &ctx.Response
	seconds, err := strconv.Atoi(string(r.Header.Peek("Retry-After")))
	want := fmt.Sprintf(`{"code":3,"message":%q}`, message)
	if r.StatusCode() != status || string(r.Body()) != want || err != nil || seconds < 1 || ctx.Hijacked() {
		t.Fatalf("answered %d %s, Retry-After %q, hijacked %v; want %d %s",
			r.StatusCode(), r.Body(), r.Header.Peek("Retry-After"), ctx.Hijacked(), status, want)
	}
	return time.Duration(seconds) * time.Second
}

// A second's worth is let in at once, and then exactly as many a second as the rate says.
func TestHandshakeRates(t *testing.T) {
	const message = "Too many handshakes"
	for _, rate := range []int{1, 3, 7, 10, 100} {
		for name, bound := range map[string]struct {
			config  Config
			status  int
			message string
			from    func(int) string
		}{
			"all": {Config{MaxHandshakeRate: rate}, 503, message, stranger},
			"one": {Config{MaxHandshakeRatePerIP: rate}, 429, message + " from this address", theSame},
		} {
			for way, in := range entrances {
				t.Run(fmt.Sprintf("%s/%d/%s", name, rate, way), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						srv := newTestServer(bound.config)
						defer shut(srv)
						tries := 0
						try := func() *fasthttp.RequestCtx {
							tries++
							return knock(srv, bound.from(tries), in.query, in.header...)
						}
						for i := range rate {
							if got := try().Response.StatusCode(); got != in.status {
								t.Fatalf("handshake %d of a second's worth is answered %d", i, got)
							}
						}
						for range 1000 { // refusals cost nothing
							bounced(t, try(), bound.status, bound.message)
						}
						steadily(t, rate, in.status, try)
						wait := bounced(t, try(), bound.status, bound.message)
						time.Sleep(wait)
						if got := try().Response.StatusCode(); got != in.status {
							t.Errorf("after Retry-After: %d", got)
						}
					})
				})
			}
		}
	}
}

// steadily tries for 10 seconds, a hundred times each, from when the second's worth was used up.
func steadily(t *testing.T, rate, success int, try func() *fasthttp.RequestCtx) {
	t.Helper()
	in := 0
	for step := range 1000 {
		time.Sleep(10 * time.Millisecond)
		for try().Response.StatusCode() == success {
			in++
		}
		if most := rate * (step + 1) / 100; in > most {
			t.Fatalf("%d were let in after %d0 ms, want %d at most", in, step+1, most)
		}
	}
	if in != 10*rate {
		t.Errorf("%d were let in over 10 s, want %d", in, 10*rate)
	}
}

// Who is refused for his own address takes nothing from the others.
func TestRefusedAddressTakesNothing(t *testing.T) {
	for name, config := range map[string]Config{
		"rate":     {MaxHandshakeRate: 10, MaxHandshakeRatePerIP: 1},
		"sessions": {MaxHandshakeRate: 10, MaxSessionsPerIP: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newTestServer(config)
				defer shut(srv)
				for i := range 100 {
					if got := knock(srv, "10.0.0.1", handshake4).Response.StatusCode(); i > 0 && got != 429 {
						t.Fatalf("handshake %d is answered %d", i, got)
					}
				}
				for i := range 9 {
					if got := knock(srv, stranger(1000+i), handshake4).Response.StatusCode(); got != 200 {
						t.Errorf("stranger %d is answered %d", i, got)
					}
				}
				bounced(t, knock(srv, stranger(2000), handshake4), 503, "Too many handshakes")
			})
		})
	}
}

func TestConnectionErrorOfABound(t *testing.T) {
	for name, c := range map[string]struct {
		config Config
		status int
		err    error
	}{
		"rate":             {Config{MaxHandshakeRate: 1}, 503, errRate},
		"rate of one":      {Config{MaxHandshakeRatePerIP: 1}, 429, errRateOfOne},
		"sessions":         {Config{MaxSessions: 1}, 503, errSessions},
		"sessions of one":  {Config{MaxSessionsPerIP: 1}, 429, errSessionsOfOne},
		"neither is named": {Config{}, 0, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			var told []string
			c.config.OnRequestRefused = func(_ *fasthttp.RequestCtx, remote netip.AddrPort, e *RequestError) {
				later := e.Header.Get("Retry-After") != ""
				told = append(told, fmt.Sprintf("%v %d %d %v %v", remote.Addr(), e.Status, e.Code, later, e.Err))
			}
			srv := newTestServer(c.config)
			defer shut(srv)
			knock(srv, "10.0.0.1", handshake4)
			knock(srv, "10.0.0.1", handshake4)
			want := fmt.Sprintf("[10.0.0.1 %d 3 true %v]", c.status, c.err)
			if c.status == 0 {
				want = "[]"
			}
			if got := fmt.Sprint(told); got != want {
				t.Errorf("%s: OnRequestRefused was told %v, want %v", name, got, want)
			}
		})
	}
}

// The bounds are exact, however many come at once.
func TestSessionBoundsAreExact(t *testing.T) {
	const most, visitors = 100, 200
	for name, config := range map[string]Config{"all": {MaxSessions: most}, "one": {MaxSessionsPerIP: most}} {
		srv := newTestServer(config)
		for round := range 20 {
			var in, refused atomic.Int64
			var all sync.WaitGroup
			begin := make(chan struct{})
			from := netip.MustParseAddr("10.0.0.1")
			for range visitors {
				all.Go(func() {
					<-begin
					if srv.admit(from) != nil {
						refused.Add(1)
					} else {
						in.Add(1)
					}
				})
			}
			close(begin)
			all.Wait()
			if in.Load() != most || refused.Load() != visitors-most || srv.places.count() != most {
				t.Fatalf("%s, round %d: %d were let in, %d refused, %d counted", name, round, in.Load(), refused.Load(), srv.places.count())
			}
			for range most {
				srv.releasePlace(from)
				srv.busy.done()
			}
		}
	}
}

// A handshake that is refused for its address takes no place of MaxSessions, not even while it is looked at.
func TestRefusedTakesNoPlace(t *testing.T) {
	srv := newTestServer(Config{MaxSessions: 2, MaxSessionsPerIP: 1, MaxHandshakeRate: 1e9})
	one, other := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	if err := srv.admit(one); err != nil {
		t.Fatal(err)
	}
	var stop atomic.Bool
	var refused sync.WaitGroup
	for range 4 {
		refused.Go(func() {
			for !stop.Load() {
				_ = srv.admit(one)
			}
		})
	}
	for i := range 100_000 {
		if err := srv.admit(other); err != nil {
			t.Errorf("handshake %d: %v, and one of two places is free", i, err)
			break
		}
		srv.releasePlace(other)
		srv.busy.done()
	}
	stop.Store(true)
	refused.Wait()
}

// A million addresses that come one after the other are not all kept, and none is when time has passed.
func TestAddressesAreForgotten(t *testing.T) {
	for name, c := range map[string]struct {
		stay int // sessions open at once
		step time.Duration
		most int
	}{
		"visits":        {0, time.Millisecond, 4000}, // 1,000 of them were a second ago
		"long visits":   {5000, time.Millisecond, 20_000},
		"a slow stream": {0, 2 * time.Second, 4},
	} {
		a := newAdmission(New(Config{MaxSessionsPerIP: 1, MaxHandshakeRatePerIP: 1}).config)
		address := func(i int) netip.Addr {
			return netip.AddrFrom4([4]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)})
		}
		now, largest := time.Duration(0), 0
		const visitors = 1_000_000
		for i := range visitors {
			now += c.step
			if err := a.reserve(address(i), now); err != nil {
				t.Fatal(err)
			}
			if i >= c.stay {
				a.release(address(i - c.stay))
			}
			largest = max(largest, len(a.addresses))
		}
		if largest > c.most {
			t.Errorf("%s: %d addresses were kept at once, want %d at most", name, largest, c.most)
		}
		for i := visitors - c.stay; i < visitors; i++ {
			a.release(address(i))
		}
		for i := 0; i < 2*c.most && len(a.addresses) > 1; i++ {
			now += 2 * time.Second
			_ = a.reserve(address(0), now)
			a.release(address(0))
		}
		if len(a.addresses) > 1 {
			t.Errorf("%s: %d addresses are never forgotten", name, len(a.addresses))
		}
	}
}

// placeFree fails unless one address has no session and can open one.
func placeFree(t *testing.T, srv *Server, what string) {
	t.Helper()
	one := netip.MustParseAddr("10.0.0.1")
	if n := srv.admission.addresses[one].sessions; n != 0 || srv.places.count() != 0 {
		t.Errorf("%s: %d sessions are counted of the address, %d in all", what, n, srv.places.count())
	}
	if err := srv.admit(one); err != nil {
		t.Errorf("%s: the next one is refused: %v", what, err)
		return
	}
	srv.releasePlace(one)
	srv.busy.done()
}

// A place is free again whatever a session ended with.
func TestPlaceIsFreeAfterEveryReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{MaxSessionsPerIP: 1})
		for r := ReasonServerClose; int(r) < len(reasons); r++ {
			if got := knock(srv, "10.0.0.1", handshake4).Response.StatusCode(); got != 200 {
				t.Fatalf("before %v: %d", r, got)
			}
			bounced(t, knock(srv, "10.0.0.1", handshake4), 429, "Too many sessions from this address")
			s := onlySession(t, srv)
			for range 2 { // the second is one that came too late
				s.terminate(r, nil)
			}
			placeFree(t, srv, r.String())
			time.Sleep(lingerTime)
			synctest.Wait()
		}
	})
}

// Nor does a handshake that comes to nothing take a place.
func TestPlaceIsFreeAfterARefusal(t *testing.T) {
	fails := errors.New("no")
	id := func(id string, err error) func(*fasthttp.RequestCtx) (string, error) {
		return func(*fasthttp.RequestCtx) (string, error) { return id, err }
	}
	for name, config := range map[string]Config{
		"OnHandshake refuses": {OnHandshake: func(*Session, *fasthttp.RequestCtx) error { return fails }},
		"OnHandshake panics":  {OnHandshake: func(*Session, *fasthttp.RequestCtx) error { panic("no") }},
		"OnHandshake closes":  {OnHandshake: func(s *Session, _ *fasthttp.RequestCtx) error { s.CloseNow(); return nil }},
		"GenerateID fails":    {GenerateID: id("", fails)},
		"GenerateID panics":   {GenerateID: func(*fasthttp.RequestCtx) (string, error) { panic("no") }},
		"an invalid id":       {GenerateID: id("?", nil)},
		"an id in use":        {GenerateID: id("taken", nil)},
	} {
		for way, in := range entrances {
			if name == "OnHandshake closes" && way == "websocket" {
				continue // the 101 comes first, and hijacked is nothing here
			}
			synctest.Test(t, func(t *testing.T) {
				config.MaxSessionsPerIP = 1
				srv := newTestServer(config)
				defer shut(srv)
				taken := &Session{srv: srv, id: "taken"}
				srv.registry.add(taken)
				defer srv.registry.remove(taken)
				for range 3 {
					got := knock(srv, "10.0.0.1", in.query, in.header...).Response.StatusCode()
					if got == 429 || got < 400 {
						t.Errorf("%s, %s: answered %d", name, way, got)
					}
					placeFree(t, srv, name)
				}
			})
		}
	}
}

// A full Server, and one that shuts down, takes no place of the address either.
func TestPlaceIsFreeAfterAFullServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{MaxSessions: 2, MaxSessionsPerIP: 1})
		knock(srv, "10.0.0.2", handshake4)
		knock(srv, "10.0.0.3", handshake4)
		bounced(t, knock(srv, "10.0.0.1", handshake4), 503, "Too many sessions")
		for s := range srv.Sessions() {
			s.CloseNow()
		}
		placeFree(t, srv, "MaxSessions")
		shut(srv)
		bounced(t, knock(srv, "10.0.0.1", handshake4), 503, "Server is shutting down")
		if n := srv.admission.addresses[netip.MustParseAddr("10.0.0.1")].sessions; n != 0 || srv.places.count() != 0 {
			t.Errorf("after Shutdown %d sessions of the address, %d in all", n, srv.places.count())
		}
		settled(t, srv)
	})
}
