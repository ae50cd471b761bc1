package table

import (
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// each runs f for a client of every way and revision.
func (e *engine) each(f func(c enginetest.Client)) {
	e.Helper()
	for _, way := range enginetest.Ways {
		for _, revision := range enginetest.Revisions {
			f(e.connect(enginetest.Setup{Way: way, Revision: revision}))
		}
	}
}

// said checks that a client hears the end of its session, and how.
func (e *engine) said(c enginetest.Client, code int) {
	e.Helper()
	if w, ok := c.(*enginetest.WebSocket); ok {
		if got := w.CloseCode(); got != code {
			e.Errorf("close code %d, want %d", got, code)
		}
		return
	}
	e.expect(c, codec.Packet{Type: codec.Close})
}

func closeByTheClient(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	e.each(func(c enginetest.Client) {
		e.send(c, enginetest.Text("last"), codec.Packet{Type: codec.Close})
		e.ended(engineio.ReasonClientClose)
		if w, ok := c.(*enginetest.WebSocket); ok {
			e.said(w, 1000)
		}
	})
	e.empties()
}

// What was sent before arrives before the end.
func closeByTheServer(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	e.each(func(c enginetest.Client) {
		s := e.session(c)
		if err := s.SendText("last"); err != nil {
			t.Error(err)
		}
		s.Close()
		e.expect(c, enginetest.Text("last"))
		e.said(c, 1000)
		e.ended(engineio.ReasonServerClose)
	})
	e.empties()
}

func lostWebSocket(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	for _, way := range enginetest.Ways[1:] {
		for _, leave := range []func(enginetest.Client){enginetest.Client.Close, enginetest.Client.Reset} {
			c := e.connect(enginetest.Setup{Way: way})
			e.alive(c)
			leave(c)
			e.ended(engineio.ReasonTransportClose)
		}
	}
	e.empties()
}

// A client that gives up its poll has left. Where nothing tells, it is missed at the next heartbeat.
func abortedPoll(t *testing.T, at place) {
	config, want := engineio.Config{}, engineio.ReasonTransportClose
	if at.setting.AbortsUnseen {
		config.PingInterval, config.PingTimeout = 20*time.Millisecond, 500*time.Millisecond
		want = engineio.ReasonPingTimeout
	}
	e := at.serve(t, config)
	for _, leave := range []func(*enginetest.HTTP){(*enginetest.HTTP).Close, (*enginetest.HTTP).HalfClose} {
		p := e.polling(enginetest.Setup{})
		e.startPoll(p)
		leave(p.Get)
		e.ended(want)
	}
	e.empties()
}

// A second GET breaks the rules: one of the two learns that the session is over, the other is refused.
func overlappingPolls(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	p := e.polling(enginetest.Setup{})
	other := *p
	other.Get = e.HTTP.HTTP()
	defer other.Get.Close()
	e.startPoll(p)
	e.startPoll(&other)
	e.ended(engineio.ReasonTransportError)
	told, refused := e.answered(p), e.answered(&other)
	if told.Status != 200 {
		told, refused = refused, told
	}
	if told.Status != 200 || string(told.Body) != "1" || refused.Status != 400 {
		t.Errorf("answered %d %s and %d %s", told.Status, told.Body, refused.Status, refused.Body)
	}
	if r := e.do("GET", p.URI(), nil); r.Status != 400 {
		t.Errorf("the next poll is answered %d", r.Status)
	}
}
