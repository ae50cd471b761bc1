//go:build interop

package client_test

import (
	"context"
	"errors"
	"net/url"
	"syscall"
	"testing"
	"time"

	"github.com/fasteio/engineio/client"
)

func TestForeignServerCloses(t *testing.T) {
	inEachForeignMode(t, func(t *testing.T, k kind, m mode, p *process) {
		c := dial(t, p.url(), m.options())
		upgraded(t, c, m.final)
		must(t, c.SendText(background(t), "last words"))
		must(t, c.SendText(background(t), "close me"))
		start := time.Now()
		wantReason(t, c, client.ReasonServerClose)
		t.Logf("known after %v", time.Since(start).Round(time.Millisecond))
		wantText(t, c, "last words")
		if _, err := c.Read(background(t)); !errors.Is(err, client.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
	})
}

// dialAll opens a client for each way to connect.
func dialAll(t *testing.T, k kind, p *process) map[string]*client.Client {
	clients := make(map[string]*client.Client)
	for _, m := range k.modes() {
		c := dial(t, p.url(), m.options())
		upgraded(t, c, m.final)
		must(t, c.SendText(background(t), "hello"))
		wantText(t, c, "hello")
		clients[m.name] = c
	}
	return clients
}

func TestForeignServerIsKilled(t *testing.T) {
	withForeign(t, func(t *testing.T, k kind, p *process) {
		clients := dialAll(t, k, p)
		start := time.Now()
		p.kill()
		for name, c := range clients {
			t.Run(name, func(t *testing.T) {
				wantReason(t, c, client.ReasonTransportClose)
				took := time.Since(start)
				t.Logf("known after %v", took.Round(time.Millisecond))
				if took > 2*time.Second { // far from pingInterval and pingTimeout, 45 s
					t.Errorf("known after %v", took)
				}
				if err := c.SendText(background(t), "hello?"); !errors.Is(err, client.ErrClosed) {
					t.Errorf("send: %v", err)
				}
			})
		}
	})
}

// A server that is stopped keeps its connections and says nothing.
func TestForeignServerIsSilent(t *testing.T) {
	const interval, timeout = 700 * time.Millisecond, 1300 * time.Millisecond
	withForeign(t, func(t *testing.T, k kind, p *process) {
		t.Parallel()
		clients := dialAll(t, k, p)
		start := time.Now()
		must(t, p.Process.Signal(syscall.SIGSTOP))
		for name, c := range clients {
			t.Run(name, func(t *testing.T) {
				wantReason(t, c, client.ReasonPingTimeout)
				took := time.Since(start)
				t.Logf("known after %v", took.Round(time.Millisecond))
				// The server was heard last at most an interval, and a little, before it was stopped.
				if took < timeout/2 || took > interval+timeout+2*time.Second {
					t.Errorf("known after %v, want about %v", took, interval+timeout)
				}
			})
		}
	}, "--ping-interval", "700", "--ping-timeout", "1300")
}

// Idle clients and servers keep each other alive for longer than interval and timeout.
func TestForeignHeartbeats(t *testing.T) {
	withForeign(t, func(t *testing.T, k kind, p *process) {
		t.Parallel()
		clients := dialAll(t, k, p)
		idle, stop := context.WithTimeout(context.Background(), 3500*time.Millisecond)
		defer stop()
		for name, c := range clients {
			if m, err := c.Read(idle); !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("%s: %q, %v", name, m.Data, err)
			}
		}
		for _, c := range clients {
			must(t, c.SendText(background(t), "still here"))
			wantText(t, c, "still here")
			must(t, c.Close())
		}
	}, "--ping-interval", "200", "--ping-timeout", "2000")
}

func TestForeignServerRefuses(t *testing.T) {
	inEachForeignMode(t, func(t *testing.T, k kind, m mode, p *process) {
		want := client.ResponseError{Status: 403, Code: 4, Message: "not you"}
		switch {
		case k.python(): // the status is its own, and there are no codes
			want = client.ResponseError{Status: 401, Code: -1, Message: "not you"}
		case m.name == "websocket": // the reference has one status and no JSON for a WebSocket
			want = client.ResponseError{Status: 400, Code: -1, Message: "not you"}
		}
		o := m.options()
		o.Query = url.Values{"reject": {"1"}}
		wantRefusal(t, p.url(), o, want)
		wantRefusal(t, p.url()+"/?reject=1", m.options(), want)
		c := dial(t, p.url()+"/?reject=0", m.options())
		must(t, c.Close())
	})
}

func wantRefusal(t *testing.T, url string, o *client.Options, want client.ResponseError) {
	t.Helper()
	o.Logger = quiet
	start := time.Now()
	_, err := client.Dial(background(t), url, o)
	var refused *client.ResponseError
	if !errors.As(err, &refused) || refused.Status != want.Status || refused.Code != want.Code || refused.Message != want.Message {
		t.Errorf("%v, want %v", err, &want)
	}
	if errors.Is(err, client.ErrRevision) != (want.Code == 5) {
		t.Errorf("%v: ErrRevision belongs to code 5", err)
	}
	if took := time.Since(start); took > patience/3 {
		t.Errorf("took %v", took)
	}
}

func TestForeignServerHasNoRevision3(t *testing.T) {
	node := client.ResponseError{Status: 400, Code: 5, Message: "Unsupported protocol version"}
	python := client.ResponseError{Status: 400, Code: -1,
		Message: "The client is using an unsupported version of the Socket.IO or Engine.IO protocols"}
	for _, k := range []kind{kinds[0], kinds[2]} {
		t.Run(k.name, func(t *testing.T) {
			p := k.start(t)
			want := node
			if k.python() {
				want = python
				wantRefusal(t, p.url(), &client.Options{Revision: client.V3, Transports: websocket}, want)
			} else if _, err := client.Dial(background(t), p.url(), &client.Options{Revision: client.V3, Transports: websocket}); err == nil {
				// The reference agrees to the WebSocket, then writes its refusal into it, which is no frame.
				t.Error("a WebSocket of revision 3 is opened")
			} else {
				t.Log(err)
			}
			wantRefusal(t, p.url(), &client.Options{Revision: client.V3, Transports: polling}, want)
		})
	}
}
