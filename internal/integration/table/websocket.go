package table

import (
	"errors"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
	"github.com/fasteio/engineio/internal/wstest"
)

func webSocket(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	for _, revision := range enginetest.Revisions {
		e.echoes(e.webSocket(enginetest.Setup{Revision: revision}))
	}
}

// handshake opens a WebSocket of which every byte counts; behind goes into the segment of the request. Its open packet
// is still to be read.
func (e *engine) handshake(setup enginetest.Setup, behind string, header ...string) (*wstest.Peer, error) {
	e.Helper()
	c, err := e.HTTP.Dial()
	if err != nil {
		e.Fatal(err)
	}
	e.Cleanup(func() { _ = c.Close() })
	request := e.HTTP.Request("GET", setup.URI("websocket", ""), nil, append(header, wstest.UpgradeHeader...)...)
	return wstest.Handshake(c, append(request, behind...))
}

// peer is handshake up to behind the open packet.
func (e *engine) peer(behind string, header ...string) *wstest.Peer {
	e.Helper()
	p, err := e.handshake(enginetest.Setup{}, behind, header...)
	if err != nil {
		e.Fatal(err)
	}
	if f, err := p.Next(); err != nil || f.Op() != wstest.OpText || !strings.HasPrefix(f.Payload, `0{"sid"`) {
		e.Fatalf("%v, %v in place of the open packet", f, err)
	}
	return p
}

// exchange sends frames and expects others.
func (e *engine) exchange(p *wstest.Peer, send []wstest.Frame, want ...wstest.Frame) {
	e.Helper()
	if err := p.Send(send...); err != nil {
		e.Fatal(err)
	}
	for i, w := range want {
		f, err := p.Next()
		if err == nil {
			f, err = wstest.Inflate(f)
		}
		if err != nil || f != w {
			e.Fatalf("frame %d of %d is %v, %v; want %v", i+1, len(want), f, err, w)
		}
	}
}

// A client may send at once, in fragments, and control frames between them.
func webSocketFrames(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	early := wstest.Text("4early")
	p := e.peer(string(wstest.Encode(early)))
	e.exchange(p, nil, early)

	text, bytes := wstest.Text("4"+strings.Repeat("€", 3_000)), wstest.Binary(strings.Repeat("\x00\x1e\xff", 3_000))
	e.exchange(p, wstest.Fragments(text, 1_000), text)
	e.exchange(p, wstest.Fragments(bytes, 7), bytes)

	ping, pong := wstest.Frame{First: wstest.Fin | wstest.OpPing, Payload: "there?"}, wstest.Frame{First: wstest.Fin | wstest.OpPong, Payload: "there?"}
	pieces := wstest.Fragments(wstest.Text("4ab"), 2)
	e.exchange(p, []wstest.Frame{pieces[0], ping, pieces[1]}, pong, wstest.Text("4ab"))

	e.exchange(p, []wstest.Frame{wstest.Closing(1000, "")})
	if code := p.CloseCode(); code != 1000 {
		t.Errorf("closed with %d", code)
	}
	e.ended(engineio.ReasonClientClose)
}

func perMessageDeflate(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{PerMessageDeflate: true, CompressionThreshold: 100})
	p := e.peer("", wstest.DeflateHeader)
	if !strings.HasPrefix(p.Extensions, "permessage-deflate") {
		t.Fatalf("agreed on %q", p.Extensions)
	}
	long := wstest.Text("4" + strings.Repeat("again and ", 1_000))
	if err := p.Send(wstest.Fragments(wstest.Deflate(long), 10)...); err != nil {
		t.Fatal(err)
	}
	f, err := p.Next()
	if err != nil || f.First&wstest.RSV1 == 0 || len(f.Payload) > 1_000 {
		t.Fatalf("%v, %v is no compressed message", f, err)
	}
	if f, err = wstest.Inflate(f); err != nil || f != long {
		t.Fatalf("%v, %v", f, err)
	}
	short := wstest.Text("4short")
	e.exchange(p, []wstest.Frame{short}, short)
	if p := e.peer(""); p.Extensions != "" {
		t.Errorf("%q for a client that has not asked", p.Extensions)
	}
}

// refusedWebSocket is the answer to a handshake that must not be a 101.
func (e *engine) refusedWebSocket(setup enginetest.Setup, sid string) *enginetest.HandshakeError {
	e.Helper()
	w, err := e.HTTP.DialWebSocket(setup, sid)
	var refused *enginetest.HandshakeError
	if err == nil {
		w.Close()
	}
	if !errors.As(err, &refused) {
		e.Fatalf("%v, want a refusal", err)
	}
	return refused
}
