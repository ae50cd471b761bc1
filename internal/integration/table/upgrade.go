package table

import (
	"errors"
	"fmt"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A session moves while both sides send: everything arrives, once and in order.
func upgrade(t *testing.T, at place) {
	const count = 60
	received := make(chan error, len(enginetest.Revisions))
	var key = engineio.NewKey[*int]("received")
	e := at.serve(t, engineio.Config{
		OnConnect: func(s *engineio.Session) { key.Set(s, new(int)) },
		OnMessage: func(s *engineio.Session, m engineio.Message) {
			n, _ := key.Get(s)
			if string(m.Data) != fmt.Sprint(*n) {
				received <- fmt.Errorf("received %q in place of %d", m.Data, *n)
			}
			if *n++; *n == count {
				received <- nil
			}
		},
	})
	for _, revision := range enginetest.Revisions {
		p := e.polling(enginetest.Setup{Revision: revision})
		s, half := e.session(p), make(chan struct{})
		sent := make(chan error, 1)
		go func() {
			defer close(sent)
			for i := range count {
				if i == count/2 {
					<-half // the rest after the upgrade has begun
				}
				if err := s.SendText(fmt.Sprint(i)); err != nil {
					sent <- err
					return
				}
			}
		}()
		for i := range count / 2 {
			e.send(p, enginetest.Text(fmt.Sprint(i)))
		}
		close(half)
		w, err := p.Upgrade()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		for i := range count / 2 {
			e.send(w, enginetest.Text(fmt.Sprint(count/2+i)))
		}
		for i := range count {
			e.expect(w, enginetest.Text(fmt.Sprint(i)))
		}
		if err := errors.Join(<-sent, <-received); err != nil {
			t.Fatal(err)
		}
		if s.Transport() != engineio.WebSocket {
			t.Errorf("the session is on %v", s.Transport())
		}
	}
}

// A WebSocket that goes away, or says something else, leaves the session where it was, and a second may come.
func upgradeThatFails(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	p := e.polling(enginetest.Setup{})
	for name, fail := range map[string]func(*enginetest.WebSocket){
		"gone":          func(w *enginetest.WebSocket) { w.Close() },
		"no probe":      func(w *enginetest.WebSocket) { e.send(w, enginetest.Text("what?")) },
		"another probe": func(w *enginetest.WebSocket) { e.send(w, codec.Packet{Type: codec.Ping, Data: []byte("what?")}) },
	} {
		w, err := e.HTTP.DialWebSocket(enginetest.Setup{}, p.Handshake().SID)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		fail(w)
		w.CloseCode()
		w.Close()
		e.alive(p)
	}
	e.eventually("the next upgrade succeeds", func() bool { // the last that failed may not have left yet
		w, err := p.Probe()
		if err == nil {
			w.Close()
		}
		return err == nil
	})
	e.alive(p)
}
