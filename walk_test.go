package engineio

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestBroadcastWalks(t *testing.T) {
	srv := newTestServer(Config{})
	open := []*Session{openPolling(t, srv, V4), openPolling(t, srv, V3)}
	closed := openPolling(t, srv, V4)
	closed.Close()
	srv.Broadcast(PrepareText("to all"))
	srv.Broadcast(PrepareText("not\x1efor revision 4"))
	srv.Broadcast(PrepareBinary([]byte{1}))
	_, four := get(open[0])
	_, three := get(open[1])
	_, none := get(closed)
	if four != "4to all\x1ebAQ==" || !strings.Contains(three, "to all") || !strings.Contains(three, "not\x1efor") || none != "1" {
		t.Errorf("revision 4 has %q, revision 3 has %q, a closed session has %q", four, three, none)
	}
	for _, s := range open {
		s.CloseNow()
	}
}

func TestBroadcastMeetsAFullQueue(t *testing.T) {
	for overflow, lives := range map[Overflow]bool{OverflowReject: false, OverflowClose: false, OverflowDropNewest: true} {
		var told []Reason
		srv := newTestServer(Config{MaxQueuedBytes: 10, Overflow: overflow, OnDisconnect: func(_ *Session, why *CloseError) {
			if errors.Is(why.Err, ErrQueueFull) {
				told = append(told, why.Reason)
			}
		}})
		slow, fast := openPolling(t, srv, V4), openPolling(t, srv, V4)
		_ = slow.SendText("0123456789")
		srv.Broadcast(PrepareText("news"))
		if slow.isClosed() == lives || fast.isClosed() {
			t.Errorf("overflow %d: the slow session is closed %v, the other %v", overflow, slow.isClosed(), fast.isClosed())
		}
		if _, body := get(fast); body != "4news" {
			t.Errorf("overflow %d: the other has %q", overflow, body)
		}
		fast.CloseNow()
		slow.CloseNow()
		settled(t, srv)
		if want := []Reason{ReasonSlowClient}; !lives && !slices.Equal(told, want) {
			t.Errorf("overflow %d: told %v, want %v", overflow, told, want)
		}
	}
}

func TestSessionsWalks(t *testing.T) {
	srv := newTestServer(Config{})
	a, b, closing := openPolling(t, srv, V4), openPolling(t, srv, V4), openPolling(t, srv, V4)
	closing.Close()
	var ids []string
	for s := range srv.Sessions() {
		ids = append(ids, s.ID())
	}
	slices.Sort(ids)
	want := []string{a.ID(), b.ID()}
	slices.Sort(want)
	if !slices.Equal(ids, want) || srv.Len() != 2 {
		t.Errorf("walked over %q of %d, want %q", ids, srv.Len(), want)
	}
	for range srv.Sessions() {
		break
	}
	if _, ok := srv.Session(closing.ID()); ok {
		t.Error("a closing session is found")
	}
	if s, ok := srv.Session(a.ID()); !ok || s != a {
		t.Error("an open session is not found")
	}
	if srv.Disconnect("nobody") || srv.Disconnect(closing.ID()) || !srv.Disconnect(a.ID()) {
		t.Error("Disconnect misses a session, or finds one that is not there")
	}
	for _, s := range []*Session{a, b, closing} {
		s.CloseNow()
	}
	settled(t, srv)
}
