package engineio

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// A queued is a packet in the model of a queue.
type queued struct {
	text  string // as texts has it
	wire  int    // what counts of its bytes
	drops bool   // it may be dropped, and counts
	pong  bool   // it may be dropped
}

// A queueModel is what a queue does, told plainly.
type queueModel struct {
	limit    int
	overflow Overflow
	packets  []queued
	dropped  uint64
}

func (q *queueModel) size() (n int) {
	for _, p := range q.packets {
		n += p.wire
	}
	return n
}

func (q *queueModel) fits(n int) bool { return q.size() == 0 || q.size()+n <= q.limit }

// push is what becomes of a packet.
func (q *queueModel) push(p queued) error {
	full := p.wire > 0 && !q.fits(p.wire)
	switch {
	case full && p.drops && q.overflow == OverflowDropOldest:
		for oldest := q.oldest(); oldest >= 0 && !q.fits(p.wire); oldest = q.oldest() {
			if q.packets[oldest].drops {
				q.dropped++
			}
			q.packets = slices.Delete(q.packets, oldest, oldest+1)
		}
	case full && p.drops && q.overflow == OverflowDropNewest:
		q.dropped++
		return nil
	case full:
		return ErrQueueFull
	}
	q.packets = append(q.packets, p)
	return nil
}

// pongOnce is push for a pong of revision 3, of which one at most waits, and that one always may.
func (q *queueModel) pongOnce() error {
	if p := (queued{text: "3", wire: 3}); !slices.Contains(q.packets, p) {
		q.packets = append(q.packets, p)
	}
	return nil
}

// oldest is the first packet that may be dropped.
func (q *queueModel) oldest() int {
	return slices.IndexFunc(q.packets, func(p queued) bool { return p.drops || p.pong })
}

func (q *queueModel) texts() (texts []string) {
	for _, p := range q.packets {
		texts = append(texts, p.text)
	}
	return texts
}

// model is the packet that a message becomes.
func model(s *Session, m Message) queued {
	n, form := len(m.Data)+1, codec.V4
	switch {
	case m.Binary && s.out.textOnly:
		n, form = base64.StdEncoding.EncodedLen(len(m.Data))+1, s.revision
		if s.revision == V3 {
			n++
		}
	case m.Binary && s.revision == V4:
		n--
	}
	packet := codec.Packet{Type: codec.Message, Binary: m.Binary, Data: m.Data}
	return queued{string(form.AppendText(nil, packet)), ws.HeaderLen(n) + n, true, false}
}

// A rehearsal has a session and the model do the same.
type rehearsal struct {
	t      *testing.T
	s      *Session
	holder *bell
	model  *queueModel
	rand   *rand.Rand
	n      int
}

// message is the next one, which no other is like.
func (r *rehearsal) message() Message {
	r.n++
	sizes := []int{0, 1, 100, 125, 1000, sharedFrom, 5000, r.model.limit, 2 * r.model.limit, chunkSize}
	size := r.rand.IntN(sizes[r.rand.IntN(len(sizes))] + 1)
	return Message{Data: fmt.Appendf(nil, "%d %s", r.n, strings.Repeat("x", size)), Binary: r.rand.IntN(2) == 0}
}

// step does one thing on both sides.
func (r *rehearsal) step() {
	r.t.Helper()
	var got, want error
	m, opts := r.message(), SendOption(r.rand.IntN(2))
	switch n := r.rand.IntN(12); {
	case n < 5:
		got, want = r.s.Send(m, opts), r.model.push(model(r.s, m))
	case n < 8:
		got, want = r.s.SendPrepared(Prepare(m, opts)), r.model.push(model(r.s, m))
	case n < 9:
		got, want = r.s.out.push(ping(), 0), r.model.push(queued{text: "2"})
	case n < 10:
		got, want = r.s.out.push(pong(), 0), r.model.pongOnce()
	case n < 11 && r.rand.IntN(4) == 0:
		r.take()
	default:
		data := m.Data[:min(len(m.Data), 125)]
		r.s.out.pushPong(data)
		frame := append(ws.AppendHeader(nil, ws.Pong, len(data)), data...)
		p := queued{text: texts(r.s.revision, &chunk{own: frame})[0], wire: len(frame), pong: true}
		_ = r.model.push(p)
	}
	if got != want {
		r.t.Fatalf("a message of %d bytes: %v, want %v", len(m.Data), got, want)
	}
	if r.s.out.size != r.model.size() || r.s.Dropped() != r.model.dropped {
		r.t.Fatalf("%d bytes wait, %d messages were dropped; want %d, %d",
			r.s.out.size, r.s.Dropped(), r.model.size(), r.model.dropped)
	}
}

// take is a transport that takes all there is.
func (r *rehearsal) take() {
	r.t.Helper()
	o := &r.s.out
	taken, err := o.take(r.holder)
	queue, n := taken.first, taken.packets
	if err != nil {
		r.t.Fatal(err)
	}
	if got := texts(r.s.revision, queue); !slices.Equal(got, r.model.texts()) {
		r.t.Fatalf("taken were %d packets, want %d:\n%.30q\n%.30q", len(got), len(r.model.packets), got, r.model.texts())
	}
	r.model.packets = nil
	o.free(queue)
	o.finished(n, nil)
	if o.sent != o.pushed {
		r.t.Fatalf("%d packets have left of %d: Flush hangs", o.sent, o.pushed)
	}
}

// A queue does what its model does, packet by packet.
func TestOverflowModel(t *testing.T) {
	for seed := range uint64(96) {
		overflow := Overflow(seed % 3)
		rev, textOnly := Revision(3+seed/3%2), seed/6%2 == 0
		t.Run(fmt.Sprintf("%d/revision %d, base64 %v/%d", overflow, rev, textOnly, seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			limit := []int{1, 300, 3000, 20_000, 80_000}[random.IntN(5)]
			srv := newTestServer(Config{MaxQueuedBytes: limit, Overflow: overflow})
			defer shut(srv)
			s := newTestSession(t, srv, rev, Polling)
			s.out.textOnly = textOnly
			r := &rehearsal{t, s, new(bell), &queueModel{limit: limit, overflow: overflow}, random, 0}
			if err := s.connect(r.holder); err != nil {
				t.Fatal(err)
			}
			r.model.packets = []queued{{text: string(codec.V4.AppendText(nil, s.openPacket()))}}
			for range 200 {
				r.step()
			}
			r.take()
			queuedBy(t, srv, "the end")
		})
	}
}

// overflowSends are the ways to send a message.
var overflowSends = map[string]func(s *Session, data []byte) error{
	"text":     func(s *Session, data []byte) error { return s.SendText(string(data)) },
	"binary":   func(s *Session, data []byte) error { return s.SendBinary(data) },
	"JSON":     func(s *Session, data []byte) error { return s.SendJSON(string(data)) },
	"prepared": func(s *Session, data []byte) error { return s.SendPrepared(Prepare(Message{Data: data}, 0)) },
	"prepared, not compressed": func(s *Session, data []byte) error {
		return s.SendPrepared(Prepare(Message{Data: data, Binary: true}, NoCompress))
	},
	"Broadcast": func(s *Session, data []byte) error { s.srv.Broadcast(PrepareBinary(data)); return nil },
}

// An audience is a session with a client that takes nothing until heard is called, which returns all it gets then.
type audience struct {
	s     *Session
	heard func() string
}

// audiences are the clients there are. What is on its way when the queue fills is "first".
var audiences = map[string]func(t *testing.T, srv *Server) audience{
	"polling": func(t *testing.T, srv *Server) audience {
		s := openPolling(t, srv, V3) // its payloads have binary
		return audience{s, func() string { _, body := get(s); return body }}
	},
	"websocket": func(t *testing.T, srv *Server) audience {
		s, client, left := unread(t, srv, false)
		t.Cleanup(func() { _ = client.Close(); <-left })
		if err := s.SendText("first"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // it is being written
		return audience{s, func() string {
			var all bytes.Buffer
			_ = client.SetReadDeadline(time.Now().Add(time.Second))
			for {
				_, payload, err := readFrame(client)
				if err != nil {
					return strings.TrimPrefix(all.String(), "4first")
				}
				all.Write(payload)
			}
		}}
	},
}

// marked is a message with its number at both ends.
func marked(i, size int) []byte {
	return fmt.Appendf(nil, "(%02d)%s[%02d]", i, strings.Repeat("x", size-8), i)
}

// marks are the numbers of the messages in what a client got.
func marks(got string) (numbers []int) {
	for i := range 100 {
		if strings.Contains(got, fmt.Sprintf("(%02d)", i)) && strings.Contains(got, fmt.Sprintf("[%02d]", i)) {
			numbers = append(numbers, i)
		}
	}
	slices.SortFunc(numbers, func(a, b int) int {
		return strings.Index(got, fmt.Sprintf("(%02d)", a)) - strings.Index(got, fmt.Sprintf("(%02d)", b))
	})
	return numbers
}

// until are the numbers from one to another.
func until(from, to int) (numbers []int) {
	for i := from; i < to; i++ {
		numbers = append(numbers, i)
	}
	return numbers
}

// What senders and clients see of a full queue, whatever the message and the transport.
func TestOverflowPolicies(t *testing.T) {
	const sent, fit = 30, 10
	for _, size := range []int{100, 2000} { // copied into the queue, and referred to
		for what, send := range overflowSends {
			for way, listen := range audiences {
				for overflow := OverflowReject; overflow <= OverflowClose; overflow++ {
					t.Run(fmt.Sprintf("%s/%s of %d/%d", way, what, size, overflow), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							srv := newTestServer(Config{MaxQueuedBytes: fit*(size+7) + size/2, Overflow: overflow})
							defer shut(srv)
							a := listen(t, srv)
							ends := overflow == OverflowClose || overflow == OverflowReject && what == "Broadcast"
							var errs []error
							for i := range sent {
								errs = append(errs, send(a.s, marked(i, size)))
							}
							checkErrors(t, errs, fit, overflow, what == "Broadcast")
							if ends {
								if r := reasonOf(t, a.s); r != ReasonSlowClient || !errors.Is(a.s.err, ErrQueueFull) {
									t.Errorf("ended with %v, %v", r, a.s.err)
								}
								return
							}
							want := map[Overflow][]int{OverflowDropOldest: until(sent-fit, sent)}[overflow]
							if want == nil {
								want = until(0, fit)
							}
							if got := marks(a.heard()); !slices.Equal(got, want) {
								t.Errorf("the client got %v, want %v", got, want)
							}
							if n := a.s.Dropped(); n != map[bool]uint64{false: sent - fit}[overflow == OverflowReject] {
								t.Errorf("%d were dropped", n)
							}
							if err := a.s.Flush(t.Context()); err != nil {
								t.Errorf("Flush: %v", err)
							}
							if a.s.over.Load() {
								t.Errorf("the session has ended with %v", reasonOf(t, a.s))
							}
						})
					})
				}
			}
		}
	}
}

// checkErrors checks what sends returned of which fit had room.
func checkErrors(t *testing.T, errs []error, fit int, overflow Overflow, broadcast bool) {
	t.Helper()
	for i, err := range errs {
		var want error
		switch {
		case i < fit || broadcast || overflow == OverflowDropNewest || overflow == OverflowDropOldest:
		case overflow == OverflowClose && i > fit:
			want = ErrClosed
		default:
			want = ErrQueueFull
		}
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("send %d: %v, want %v", i, err, want)
		}
	}
}

// One message always fits into an empty queue, whatever is to become of the others.
func TestOneMessageAboveMaxQueued(t *testing.T) {
	for what, send := range overflowSends {
		for overflow := OverflowReject; overflow <= OverflowClose; overflow++ {
			synctest.Test(t, func(t *testing.T) {
				srv := newTestServer(Config{MaxQueuedBytes: 100, Overflow: overflow})
				defer shut(srv)
				s := openPolling(t, srv, V3)
				for i := range 5 {
					if err := send(s, marked(i, 5000)); err != nil {
						t.Errorf("%s, %d: %v", what, overflow, err)
					}
					if _, body := get(s); !slices.Equal(marks(body), []int{i}) {
						t.Errorf("%s, %d: the client got %.30q", what, overflow, body)
					}
				}
				if s.Dropped() != 0 || s.over.Load() {
					t.Errorf("%s, %d: %d were dropped", what, overflow, s.Dropped())
				}
			})
		}
	}
}

// Making room for a large message drops all that wait, and heartbeats stay where they were in the order.
func TestDropOldestForALargeOne(t *testing.T) {
	srv := newTestServer(Config{MaxQueuedBytes: 1000, Overflow: OverflowDropOldest})
	defer shut(srv)
	s := openPolling(t, srv, V4)
	large := strings.Repeat("x", 5000)
	for _, err := range []error{
		s.SendText("one"), s.out.push(ping(), 0), s.SendPrepared(PrepareText(large)), s.out.push(ping(), 0),
		s.SendText(large),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, body := get(s); body != "2\x1e2\x1e4"+large || s.Dropped() != 2 {
		t.Errorf("the client got %.40q, %d were dropped", body, s.Dropped())
	}
}

// What cannot be dropped does not fail a send that makes room: the client has asked for it, and is slow.
func TestDropOldestBehindAPong(t *testing.T) {
	srv := newTestServer(Config{MaxQueuedBytes: 100, Overflow: OverflowDropOldest})
	defer shut(srv)
	s := openPolling(t, srv, V3)
	post(s, "1:2")
	large := strings.Repeat("x", 200)
	for _, m := range []string{"one", "two", large, large} {
		if err := s.SendText(m); err != nil {
			t.Errorf("a message of %d bytes: %v", len(m), err)
		}
	}
	if _, body := get(s); body != "1:3201:4"+large || s.Dropped() != 3 {
		t.Errorf("the client got %.20q, %d were dropped", body, s.Dropped())
	}
}

// Exactly MaxQueuedBytes bytes may wait, whatever they are bytes of.
func TestMaxQueuedExactly(t *testing.T) {
	const limit = 500
	for _, rev := range []Revision{V3, V4} {
		for _, textOnly := range []bool{false, true} {
			for what, send := range overflowSends {
				if what == "Broadcast" {
					continue // it ends the session
				}
				for size := 30; size < 60; size++ {
					srv := newTestServer(Config{MaxQueuedBytes: limit})
					s := openPolling(t, srv, rev)
					s.out.textOnly = textOnly
					n := 0
					for send(s, marked(n, size)) == nil {
						n++
					}
					if one := s.out.size / n; one*n != s.out.size || s.out.size > limit || s.out.size+one <= limit {
						t.Errorf("revision %d, base64 %v, %s of %d: %d fit, which are %d bytes", rev, textOnly, what, size, n, s.out.size)
					}
					shut(srv)
				}
			}
		}
	}
}

// Clients ask for pongs, and must not keep chunks in the queue by them, nor make sends walk over them.
func TestPongsDoNotStayInAFullQueue(t *testing.T) {
	for name, ask := range map[string]func(s *Session){
		"WebSocket":  func(s *Session) { s.out.pushPong(nil) },
		"revision 3": func(s *Session) { _ = s.out.push(pong(), 0) },
	} {
		t.Run(name, func(t *testing.T) {
			srv := newTestServer(Config{Overflow: OverflowDropOldest, MaxQueuedBytes: 1 << 20})
			defer shut(srv)
			s := newTestSession(t, srv, V3, WebSocket)
			if err := s.connect(new(bell)); err != nil {
				t.Fatal(err)
			}
			for i := range 20_000 {
				if err := s.SendBinary(make([]byte, 6000)); err != nil {
					t.Fatal(err)
				}
				if i%10 == 0 {
					ask(s)
				}
			}
			if used := srv.queued.used.Load(); used > 4<<20 {
				t.Errorf("a queue of %d bytes holds %d", s.out.size, used)
			}
		})
	}
}
