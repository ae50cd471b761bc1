package engineio_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// eachKeeper runs f for the servers that differ in who closes a WebSocket: those that keep hijacked
// connections leave it to us. What the environment asks for makes no difference here.
func eachKeeper(t *testing.T, f func(t *testing.T, s *fasthttp.Server)) {
	t.Parallel()
	for i := range 1 << 3 {
		kept, reduce, perIP := i&1 > 0, i&2 > 0, i&4>>2*16
		t.Run(fmt.Sprintf("kept=%v,reduce=%v,perIP=%d", kept, reduce, perIP), func(t *testing.T) {
			t.Parallel()
			f(t, &fasthttp.Server{KeepHijackedConns: kept, ReduceMemoryUsage: reduce, MaxConnsPerIP: perIP})
		})
	}
}

// farewells are the ways in which a session on WebSocket ends.
var farewells = map[string]func(t *testing.T, e *engine, w *enginetest.WebSocket){
	"close frame": func(t *testing.T, _ *engine, w *enginetest.WebSocket) {
		_ = w.Conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1001, "bye"), time.Time{})
		goodbye(t, w, 1001)
	},
	"close packet": func(t *testing.T, _ *engine, w *enginetest.WebSocket) {
		_ = w.Send(codec.Packet{Type: codec.Close})
		goodbye(t, w, 1000)
	},
	"FIN": func(_ *testing.T, _ *engine, w *enginetest.WebSocket) { w.Close() },
	"RST": func(_ *testing.T, _ *engine, w *enginetest.WebSocket) { w.Reset() },
	"half close": func(t *testing.T, _ *engine, w *enginetest.WebSocket) {
		enginetest.HalfClose(w.Conn.NetConn())
		goodbye(t, w, 1000)
	},
	"Close": func(t *testing.T, e *engine, w *enginetest.WebSocket) {
		s := e.session(t, w)
		_ = s.SendText("bye")
		s.Close()
		expect(t, w, enginetest.Text("bye"))
		goodbye(t, w, 1000)
	},
	"Close without an answer": func(t *testing.T, e *engine, w *enginetest.WebSocket) {
		w.Conn.SetCloseHandler(func(int, string) error { return nil })
		e.session(t, w).Close()
		goodbye(t, w, 1000)
	},
	"CloseNow": func(t *testing.T, e *engine, w *enginetest.WebSocket) {
		e.session(t, w).CloseNow()
		goodbye(t, w, 1000)
	},
	"Close of one that goes on sending": func(t *testing.T, e *engine, w *enginetest.WebSocket) {
		w.Conn.SetCloseHandler(func(int, string) error { return nil })
		e.session(t, w).Close()
		_ = w.CloseCode()
		sent := make(chan error)
		go func() {
			var err error
			for frames := bytes.Repeat([]byte("\x82\x81\x00\x00\x00\x00x"), 1000); err == nil; {
				_, err = w.Conn.NetConn().Write(frames)
			}
			sent <- err
		}()
		goodbye(t, w, 1000) // which asks for the code again
		<-sent
	},
	"ping timeout": func(t *testing.T, e *engine, w *enginetest.WebSocket) {
		w.Close()
		w = e.webSocket(t, enginetest.Setup{Query: "ping=short"})
		goodbye(t, w, 1001)
	},
	"protocol error": func(t *testing.T, _ *engine, w *enginetest.WebSocket) {
		_, _ = w.Conn.NetConn().Write([]byte("\x83\x80\x00\x00\x00\x00"))
		goodbye(t, w, 1002)
	},
	"protocol error before more": func(t *testing.T, _ *engine, w *enginetest.WebSocket) {
		_, _ = w.Conn.NetConn().Write(append([]byte("\x83\x80\x00\x00\x00\x00"), make([]byte, 100_000)...))
		goodbye(t, w, 1002)
	},
	"no packet": func(t *testing.T, _ *engine, w *enginetest.WebSocket) {
		says("abc")(t, w)
		goodbye(t, w, 1002)
	},
	"too big": func(t *testing.T, _ *engine, w *enginetest.WebSocket) {
		says("4"+strings.Repeat("x", maxPayload))(t, w)
		goodbye(t, w, 1009)
	},
	"panic": func(t *testing.T, _ *engine, w *enginetest.WebSocket) {
		says("4panic")(t, w)
		goodbye(t, w, 1011)
	},
	"all at once": func(t *testing.T, e *engine, w *enginetest.WebSocket) {
		s, done := e.session(t, w), make(chan struct{})
		ends := []func(){
			s.Close, s.CloseNow,
			func() { _ = s.SendText(strings.Repeat("x", 10_000)) },
			func() { _ = w.Conn.WriteControl(websocket.CloseMessage, nil, time.Time{}) },
			func() { enginetest.HalfClose(w.Conn.NetConn()) },
		}
		for _, end := range ends {
			go func() { end(); done <- struct{}{} }()
		}
		for range ends {
			<-done
		}
		_, _ = io.Copy(io.Discard, w.Conn.NetConn())
		w.Close()
	},
}

// goodbye reads the close frame with that code, answers it, and waits for the end of the connection.
func goodbye(t *testing.T, w *enginetest.WebSocket, code int) {
	t.Helper()
	if got := w.CloseCode(); got != code {
		t.Errorf("close code %d, want %d", got, code)
	}
	if n, err := w.Conn.NetConn().Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("after the close frame: %d bytes, %v; want EOF", n, err)
	}
	w.Close()
}

// farewellConfig makes what the clients ask for happen.
var farewellConfig = engineio.Config{
	CloseTimeout: 500 * time.Millisecond, MaxPayload: maxPayload,
	OnHandshake: func(s *engineio.Session, ctx *fasthttp.RequestCtx) error {
		switch string(ctx.QueryArgs().Peek("ping")) {
		case "short":
			return s.SetPing(20*time.Millisecond, 20*time.Millisecond)
		case "never":
			s.Close()
		}
		return nil
	},
	OnMessage: func(s *engineio.Session, m engineio.Message) {
		if string(m.Data) == "panic" {
			panic("as asked for")
		}
		echo(s, m)
	},
}

// A connection that carried a WebSocket is closed once, by whoever it belongs to, when nobody uses it any more;
// and closed it is, or its client would wait for ever.
func TestWebSocketsAreClosedOnce(t *testing.T) {
	eachKeeper(t, func(t *testing.T, s *fasthttp.Server) {
		e := serve(t, new(ledger).stack(s), farewellConfig)
		for name, farewell := range farewells {
			for _, way := range enginetest.Ways[1:] {
				t.Run(name+"/"+string(way), func(t *testing.T) {
					farewell(t, e, e.connect(t, enginetest.Setup{Way: way}).(*enginetest.WebSocket))
				})
			}
		}
	})
}

// So is one whose WebSocket never gets a session.
func TestWebSocketsWithoutASessionAreClosedOnce(t *testing.T) {
	eachKeeper(t, func(t *testing.T, s *fasthttp.Server) {
		e := serve(t, new(ledger).stack(s), farewellConfig)
		for name, fail := range map[string]func(t *testing.T, p *enginetest.Polling, w *enginetest.WebSocket){
			"the client goes": func(_ *testing.T, _ *enginetest.Polling, w *enginetest.WebSocket) { w.Close() },
			"reset":           func(_ *testing.T, _ *enginetest.Polling, w *enginetest.WebSocket) { w.Reset() },
			"wrong packet": func(t *testing.T, _ *enginetest.Polling, w *enginetest.WebSocket) {
				says("4x")(t, w)
				goodbye(t, w, 1002)
			},
			"protocol error": func(t *testing.T, _ *enginetest.Polling, w *enginetest.WebSocket) {
				_, _ = w.Conn.NetConn().Write([]byte{0xff, 0xff})
				goodbye(t, w, 1002)
			},
			"the session ends": func(t *testing.T, p *enginetest.Polling, w *enginetest.WebSocket) {
				e.session(t, p).CloseNow()
				goodbye(t, w, 1002)
			},
			"the session closes": func(t *testing.T, p *enginetest.Polling, w *enginetest.WebSocket) {
				e.session(t, p).Close()
				goodbye(t, w, 1002)
			},
			"a second": func(t *testing.T, p *enginetest.Polling, w *enginetest.WebSocket) {
				second, err := e.http.DialWebSocket(enginetest.Setup{}, p.Handshake().SID)
				if err != nil {
					t.Fatal(err)
				}
				goodbye(t, second, 1002)
				if err := w.Send(upgradePacket); err != nil {
					t.Fatal(err)
				}
				alive(t, w)
				w.Close()
			},
		} {
			t.Run(name, func(t *testing.T) {
				p := e.polling(t, enginetest.Setup{})
				fail(t, p, probe(t, p))
			})
		}
		t.Run("closed in OnHandshake", func(t *testing.T) {
			if _, err := e.http.DialWebSocket(enginetest.Setup{Query: "ping=never"}, ""); !websocket.IsCloseError(err, 1002) {
				t.Errorf("%v, want close code 1002", err)
			}
		})
	})
}

// So is one whose client stops halfway.
func TestWebSocketsThatOnlyProbeAreClosedOnce(t *testing.T) {
	eachKeeper(t, func(t *testing.T, s *fasthttp.Server) {
		e := serve(t, new(ledger).stack(s), engineio.Config{UpgradeTimeout: time.Second, CloseTimeout: time.Second})
		p := e.polling(t, enginetest.Setup{})
		goodbye(t, probe(t, p), 1002)
		alive(t, p)
	})
}

// Shutdown takes all of them with it.
func TestShutdownClosesWebSocketsOnce(t *testing.T) {
	eachKeeper(t, func(t *testing.T, s *fasthttp.Server) {
		e := serve(t, new(ledger).stack(s), farewellConfig)
		ws, upgraded := e.webSocket(t, enginetest.Setup{}), e.connect(t, enginetest.Setup{Way: enginetest.ByUpgrade})
		half := probe(t, e.polling(t, enginetest.Setup{}))
		if err := e.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		goodbye(t, ws, 1001)
		goodbye(t, upgraded.(*enginetest.WebSocket), 1001)
		goodbye(t, half, 1002)
	})
}

// What comes in one segment with the upgrade request is not lost where the request's buffer goes back to fasthttp
// before the session has read it.
func TestFramesInOneSegmentAreKept(t *testing.T) {
	eachKeeper(t, func(t *testing.T, s *fasthttp.Server) {
		framesInOneSegment(t, serve(t, new(ledger).stack(s), engineio.Config{}))
	})
}

// An open WebSocket holds up a goroutine of fasthttp's, with the request and its buffers, unless the server keeps
// hijacked connections.
func TestWhoseGoroutineAWebSocketHolds(t *testing.T) { // not parallel: it looks at all goroutines
	const each = 5
	want := 3 * each
	if enginetest.Tuned() {
		want = 0
	}
	for name, o := range map[string]enginetest.Options{"plain": {}, "TLS": {TLS: true}, "per IP": {MaxConnsPerIP: 1000}} {
		for _, busy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/busy=%v", name, busy), func(t *testing.T) {
				e := serve(t, onFasthttp, engineio.Config{}, o)
				for range each {
					for _, way := range enginetest.Ways[1:] {
						if c := e.connect(t, enginetest.Setup{Way: way}); busy {
							alive(t, c)
						}
					}
					probe(t, e.polling(t, enginetest.Setup{}))
				}
				got := hijackHandlers()
				for end := time.Now().Add(3 * time.Second); got != want && time.Now().Before(end); got = hijackHandlers() {
					time.Sleep(time.Millisecond)
				}
				if got != want || e.Len() != 3*each {
					t.Errorf("%d goroutines in a hijack handler, want %d; %d sessions, want %d", got, want, e.Len(), 3*each)
				}
			})
		}
	}
}

// hijackHandlers is how many goroutines are in one.
func hijackHandlers() int {
	stacks := make([]byte, 8<<20)
	return strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "fasthttp.hijackConnHandler(")
}
