package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/enginetest"
)

// around is a stack on fasthttp on which wrap stands around the engine.
func around(wrap func(ctx *fasthttp.RequestCtx, next fasthttp.RequestHandler)) stack {
	return stack{"fasthttp", func(t *testing.T, srv *engineio.Server, o enginetest.Options) *enginetest.Server {
		next := srv.Handler(nil)
		return enginetest.Start(t, func(ctx *fasthttp.RequestCtx) { wrap(ctx, next) }, o)
	}}
}

// aroundFiber is the same on Fiber.
func aroundFiber(wrap fiber.Handler) stack {
	return stack{"fiber", func(t *testing.T, srv *engineio.Server, o enginetest.Options) *enginetest.Server {
		return enginetest.StartFiber(t, func(app *fiber.App) { app.Use(wrap, eiofiber.New(srv)) }, o)
	}}
}

// patient sessions do not end by their heartbeat while a test runs.
func patient(c engineio.Config) engineio.Config {
	c.PingInterval, c.PingTimeout = time.Hour, time.Hour
	return c
}

// eachHandover runs f for what the hand-over of a connection may depend on.
func eachHandover(t *testing.T, f func(t *testing.T, o enginetest.Options)) {
	t.Helper()
	for i := range 1 << 3 {
		o := enginetest.Options{TLS: i&1 > 0, KeepHijackedConns: i&2 > 0, MaxConnsPerIP: i & 4 * 250}
		t.Run(fmt.Sprintf("TLS=%v,kept=%v,perIP=%d", o.TLS, o.KeepHijackedConns, o.MaxConnsPerIP), func(t *testing.T) {
			t.Parallel()
			f(t, o)
		})
	}
}

// gone waits until e has no session and checks that Shutdown has nothing to wait for.
func gone(t *testing.T, e *engine) {
	t.Helper()
	eventually(t, "no session is left", func() bool { return e.Len() == 0 })
	ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
	defer cancel()
	if err := e.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}

// handshakeOf is a WebSocket handshake, as bytes.
func handshakeOf(e *engine, sid string) []byte {
	return enginetest.Request("GET", enginetest.Setup{}.URI("websocket", sid), e.http.Addr, nil,
		"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
}

// A server that ends the connection after the response serves WebSockets none the less.
func TestWebSocketOnTheLastRequestOfAConnection(t *testing.T) {
	t.Parallel()
	closing := around(func(ctx *fasthttp.RequestCtx, next fasthttp.RequestHandler) {
		if ctx.Request.Header.Peek("Upgrade") != nil {
			ctx.SetConnectionClose()
		}
		next(ctx)
	})
	for name, server := range map[string]struct {
		on  []stack
		set func(*enginetest.Options)
	}{
		"DisableKeepalive":   {stacks, func(o *enginetest.Options) { o.DisableKeepalive = true }},
		"MaxRequestsPerConn": {stacks, func(o *enginetest.Options) { o.MaxRequestsPerConn = 1 }},
		"Connection: close":  {[]stack{closing}, func(*enginetest.Options) {}},
	} {
		for _, on := range server.on {
			t.Run(name+"/"+on.name, func(t *testing.T) {
				eachHandover(t, func(t *testing.T, o enginetest.Options) {
					server.set(&o)
					e := serve(t, on, patient(engineio.Config{}), o)
					for _, way := range enginetest.Ways[1:] {
						c := e.connect(t, enginetest.Setup{Way: way})
						alive(t, c)
						c.Close()
						e.ended(t, engineio.ReasonTransportClose)
					}
					h := e.http.HTTP()
					if err := h.Write(handshakeOf(e, "")); err != nil {
						t.Fatal(err)
					}
					if r, err := h.Read("GET"); err != nil || r.Status != 101 || len(r.Header["Connection"]) != 1 || r.Close {
						t.Errorf("%+v, %v", r, err)
					}
					h.Close()
					gone(t, e)
				})
			})
		}
	}
}

// A client that resets its connection while its handshake is answered leaves nothing behind.
func TestResetDuringAHandshake(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		eachHandover(t, func(t *testing.T, o enginetest.Options) {
			asked, goOn := make(chan *engineio.Session, 1), make(chan struct{})
			e := serve(t, on, patient(engineio.Config{OnHandshake: func(s *engineio.Session, _ *fasthttp.RequestCtx) error {
				asked <- s
				<-goOn
				return nil
			}}), o)
			h := e.http.HTTP()
			if err := h.Write(handshakeOf(e, "")); err != nil {
				t.Fatal(err)
			}
			s := <-asked
			h.Reset()
			close(goOn)
			<-s.Context().Done()
			gone(t, e)
		})
	})
}

// Nor does one whose answers to earlier requests cannot be written, which is when fasthttp drops the hijack handler
// and the values of the request alike.
func TestResetOfAPipelinedHandshake(t *testing.T) {
	t.Parallel()
	eachHandover(t, func(t *testing.T, o enginetest.Options) {
		asked, goOn := make(chan *engineio.Session, 1), make(chan struct{})
		e := serve(t, onFasthttp, patient(engineio.Config{OnHandshake: func(s *engineio.Session, _ *fasthttp.RequestCtx) error {
			asked <- s
			<-goOn
			return nil
		}}), o)
		h := e.http.HTTP()
		elsewhere := enginetest.Request("GET", "/elsewhere", e.http.Addr, nil)
		if err := h.Write(append(elsewhere, handshakeOf(e, "")...)); err != nil {
			t.Fatal(err)
		}
		s := <-asked
		h.Reset()
		close(goOn)
		<-s.Context().Done()
		var end *engineio.CloseError
		if !errors.As(context.Cause(s.Context()), &end) || end.Reason != engineio.ReasonTransportClose {
			t.Errorf("ended with %v", context.Cause(s.Context()))
		}
		gone(t, e)
	})
}

// What takes the hijack back, or makes another response of the 101, has its way: the session ends, and a session on
// long-polling may be upgraded again.
func TestHandoverThatIsTakenBack(t *testing.T) {
	t.Parallel()
	spoilers := map[string]stack{
		"hijack": around(func(ctx *fasthttp.RequestCtx, next fasthttp.RequestHandler) {
			next(ctx)
			if ctx.Hijacked() && ctx.Request.Header.Peek("X-Spoil") != nil {
				ctx.Hijack(nil)
				ctx.Error("taken back", 500)
			}
		}),
		"response": around(func(ctx *fasthttp.RequestCtx, next fasthttp.RequestHandler) {
			next(ctx)
			if ctx.Request.Header.Peek("X-Spoil") != nil {
				ctx.Error("taken back", 500)
			}
		}),
		"error": aroundFiber(func(c *fiber.Ctx) error {
			err := c.Next()
			if c.Get("X-Spoil") != "" {
				return fiber.NewError(500, "taken back")
			}
			return err
		}),
	}
	for name, on := range spoilers {
		t.Run(name, func(t *testing.T) {
			eachHandover(t, func(t *testing.T, o enginetest.Options) {
				e := serve(t, on, patient(engineio.Config{}), o)
				p := e.polling(t, enginetest.Setup{})
				for _, sid := range []string{"", p.Handshake().SID} {
					_, err := e.http.DialWebSocket(enginetest.Setup{Header: []string{"X-Spoil: yes"}}, sid)
					var refused *enginetest.HandshakeError
					if !errors.As(err, &refused) || refused.Response.StatusCode != 500 {
						t.Errorf("%v, want 500", err)
					}
				}
				eventually(t, "one session is left", func() bool { return e.Len() == 1 })
				w := probe(t, p)
				if err := w.Send(upgradePacket); err != nil {
					t.Fatal(err)
				}
				alive(t, w)
				w.Close()
				gone(t, e)
			})
		})
	}
}

// The headers of the engine and those of whatever stands around it are in the 101.
func TestHeadersOfTheUpgrade(t *testing.T) {
	t.Parallel()
	config := patient(engineio.Config{
		Cookie:    &engineio.Cookie{Name: "io"},
		OnHeaders: func(_ *engineio.Session, ctx *fasthttp.RequestCtx, _ bool) { ctx.Response.Header.Set("X-Hook", "1") },
	})
	for _, on := range []stack{
		around(func(ctx *fasthttp.RequestCtx, next fasthttp.RequestHandler) {
			ctx.Response.Header.Set("X-Before", "2")
			next(ctx)
			ctx.Response.Header.Add("Set-Cookie", "after=3")
		}),
		aroundFiber(func(c *fiber.Ctx) error {
			c.Set("X-Before", "2")
			err := c.Next()
			c.Append("Set-Cookie", "after=3")
			return err
		}),
	} {
		t.Run(on.name, func(t *testing.T) {
			eachHandover(t, func(t *testing.T, o enginetest.Options) {
				e := serve(t, on, config, o)
				for _, sid := range []string{"", e.polling(t, enginetest.Setup{}).Handshake().SID} {
					h := e.http.HTTP()
					t.Cleanup(h.Close)
					if err := h.Write(handshakeOf(e, sid)); err != nil {
						t.Fatal(err)
					}
					r, err := h.Read("GET")
					if err != nil || r.Status != 101 {
						t.Fatalf("%+v, %v", r, err)
					}
					cookies := strings.Join(r.Header["Set-Cookie"], "; ")
					if r.Header.Get("X-Hook") != "1" || r.Header.Get("X-Before") != "2" || !strings.Contains(cookies, "after=3") ||
						strings.Contains(cookies, "io=") != (sid == "") || r.Header.Get("Sec-WebSocket-Accept") == "" || r.Header.Get("Content-Length") != "" {
						t.Errorf("sid %q: %v", sid, r.Header)
					}
				}
			})
		})
	}
}

// Shutdown and Drain end a session that waits for its connection, and do not wait for what holds that up.
func TestShutdownFindsSessionsThatOpen(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(e *engine, ctx context.Context) error{
		"Shutdown": func(e *engine, ctx context.Context) error { return e.Shutdown(ctx) },
		"Drain":    func(e *engine, ctx context.Context) error { return e.Drain(ctx, time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			eachHandover(t, func(t *testing.T, o enginetest.Options) {
				served, goOn := make(chan struct{}), make(chan struct{})
				e := serve(t, around(func(ctx *fasthttp.RequestCtx, next fasthttp.RequestHandler) {
					next(ctx)
					close(served)
					<-goOn
				}), patient(engineio.Config{WriteTimeout: time.Hour, OnConnect: func(*engineio.Session) { t.Error("it opens") }}), o)
				h := e.http.HTTP()
				t.Cleanup(h.Close)
				if err := h.Write(handshakeOf(e, "")); err != nil {
					t.Fatal(err)
				}
				<-served
				ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
				defer cancel()
				if err := end(e, ctx); err != nil || e.Len() != 0 {
					t.Errorf("%v, %d sessions", err, e.Len())
				}
				close(goOn)
				if r, err := h.Read("GET"); err != nil || r.Status != 101 { // and a close frame behind it
					t.Errorf("%+v, %v", r, err)
				}
			})
		})
	}
}

// A handshake that OnHandshake holds up until Shutdown has begun is refused, in words.
func TestHandshakeThatShutdownOvertakes(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		asked, goOn := make(chan struct{}), make(chan struct{})
		e := serve(t, on, patient(engineio.Config{OnHandshake: func(*engineio.Session, *fasthttp.RequestCtx) error {
			close(asked)
			<-goOn
			return nil
		}}))
		h := e.http.HTTP()
		t.Cleanup(h.Close)
		if err := h.Write(handshakeOf(e, "")); err != nil {
			t.Fatal(err)
		}
		<-asked
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = e.Shutdown(now)
		close(goOn)
		if r, err := h.Read("GET"); err != nil || r.Status != 503 || r.Header.Get("Retry-After") == "" {
			t.Errorf("%+v, %v", r, err)
		}
		gone(t, e)
	})
}
