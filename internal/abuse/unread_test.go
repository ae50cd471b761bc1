package abuse

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// unreadSize is more than the sockets of both ends take in.
const unreadSize = 4 << 20

// fewPlaces are for sessions whose answers nobody reads. Each may hold one answer that is written, and one in its queue.
var fewPlaces = spec{MaxPayload: unreadSize + 1, MaxRequestBodySize: 2 * unreadSize, MaxSessions: 2}

const placesHold = 4 * unreadSize

// A reader is a client that does not read.
type reader struct {
	*enginetest.Polling
	x     *target
	conns []net.Conn
}

// ask has a large message echoed, and asks for the echo on a connection of its own. It reads the first byte of the
// answer and no more.
func (r *reader) ask(t *testing.T) {
	t.Helper()
	_ = r.Send(enginetest.Text(strings.Repeat("x", unreadSize))) // or it has ended
	c, err := net.Dial("tcp4", r.x.addr)
	if err != nil {
		t.Fatal(err)
	}
	r.conns = append(r.conns, c)
	_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
	_ = c.SetDeadline(time.Now().Add(enginetest.Patience))
	if _, err := c.Write(enginetest.Request("GET", r.URI(), r.x.addr, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
}

func (r *reader) end() {
	for _, c := range r.conns {
		enginetest.Reset(c)
	}
}

// held fails if more is held than sessions may hold.
func (r *reader) held(t *testing.T) {
	t.Helper()
	if f := r.x.ask(t, commandHeap); f.Heap > 2*placesHold {
		t.Errorf("%d MB are held for a client that reads nothing", f.Heap>>20)
	}
}

// One session asks for answer after answer and reads none.
func TestAnswersThatNobodyReads(t *testing.T) {
	attack(t, fewPlaces, 12, 100, func(t *testing.T, x *target, n int) {
		p, err := x.http().DialPolling(enginetest.Setup{})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		r := &reader{Polling: p, x: x}
		defer r.end()
		before := x.counts(t)
		for range n {
			r.ask(t)
		}
		r.held(t)
		x.ended(t, before, "transport error", 1)
	})
}

// Session after session asks for one answer, does not read it, and says goodbye.
func TestAnswersThatOutliveTheirSessions(t *testing.T) {
	attack(t, fewPlaces, 12, 50, func(t *testing.T, x *target, n int) {
		r := &reader{x: x}
		defer r.end()
		for opened := 0; opened < n; {
			p, err := x.http().DialPolling(enginetest.Setup{})
			var refused *enginetest.StatusError
			if errors.As(err, &refused) && refused.Status == 503 {
				time.Sleep(20 * time.Millisecond) // the places are those of answers
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			opened++
			r.Polling = p
			r.ask(t)
			if err := p.Send(codec.Packet{Type: codec.Close}); err != nil {
				t.Fatal(err)
			}
			p.Close()
		}
		r.held(t)
	})
}
