package table

import (
	"context"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// Shutdown delivers what was sent, tells every client, and refuses new ones.
func shutdown(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	var clients []enginetest.Client
	e.each(func(c enginetest.Client) {
		clients = append(clients, c)
		if err := e.session(c).SendText("last"); err != nil {
			t.Error(err)
		}
	})
	done := make(chan error, len(e.Servers))
	for _, srv := range e.Servers {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
			defer cancel()
			done <- srv.Shutdown(ctx)
		}()
	}
	for _, c := range clients {
		e.expect(c, enginetest.Text("last"))
		e.said(c, 1001)
		e.ended(engineio.ReasonShutdown)
	}
	for range e.Servers {
		if err := <-done; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
	}
	e.empties()
	r := e.do("GET", enginetest.Setup{}.URI("polling", ""), nil)
	if r.Status != 503 || r.Header.Get("Retry-After") == "" {
		t.Errorf("a handshake by polling is answered %d %v", r.Status, r.Header)
	}
	if r := e.refusedWebSocket(enginetest.Setup{}, ""); r.Response.StatusCode != 503 {
		t.Errorf("a handshake by WebSocket is answered %d", r.Response.StatusCode)
	}
}

// The HTTP server's own Shutdown does not hang on parked polls, and ends WebSockets too. No client has a connection that
// is idle: fasthttp 1.73 closes one that it counts by address while it reads it.
func shutdownOfTheHTTPServer(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{CloseTimeout: time.Second})
	p := e.polling(enginetest.Setup{})
	w := e.webSocket(enginetest.Setup{})
	before := e.requests.Load()
	e.startPoll(p)
	e.eventually("the poll is read", func() bool { return e.requests.Load() > before }) // or its connection is idle
	down := make(chan error, 1)
	go func() { down <- e.HTTP.Shutdown() }()
	if r := e.answered(p); r.Status != 200 || string(r.Body) != "1" {
		t.Errorf("the parked poll is answered %d %q", r.Status, r.Body)
	}
	p.Get.Close()
	e.said(w, 1001)
	w.Close()
	select {
	case err := <-down:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(enginetest.Patience):
		t.Fatal("Shutdown of the HTTP server hangs")
	}
	e.empties()
}
