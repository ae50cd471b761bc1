package engineio

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fasteio/engineio/codec"
)

// weight is the memory of a list of chunks.
func weight(c *chunk) (n int64) {
	for ; c != nil; c = c.next {
		n += int64(cap(c.own))
	}
	return n
}

// queuedBy checks that a server counts what its sessions' queues, and those that are being written, weigh.
func queuedBy(t *testing.T, srv *Server, what string, queues ...*chunk) {
	t.Helper()
	sum := int64(0)
	for _, c := range queues {
		sum += weight(c)
	}
	if used := srv.queued.used.Load(); used != sum {
		t.Fatalf("%s: %d bytes are counted, the queues weigh %d", what, used, sum)
	}
}

// A juggler sends to a session, takes and ends it in any order.
type juggler struct {
	s      *Session
	holder *bell
	taken  []*chunk // lists that are being written
	rand   *rand.Rand
}

// size is one of those at which something changes.
func (j *juggler) size() int {
	sizes := []int{1, 20, 125, 500, sharedFrom, chunkStart, alwaysQueueable, chunkSize, 2 * chunkSize}
	return max(0, sizes[j.rand.IntN(len(sizes))]-j.rand.IntN(20))
}

// act does one thing, and says what.
func (j *juggler) act() string {
	o := &j.s.out
	m := Message{Data: []byte(strings.Repeat("x", j.size())), Binary: j.rand.IntN(2) == 0}
	opts := SendOption(j.rand.IntN(2)) // NoCompress or not
	switch n := j.rand.IntN(20); {
	case n < 6:
		return fmt.Sprint("send ", len(m.Data), j.s.Send(m, opts))
	case n < 11:
		return fmt.Sprint("prepared ", len(m.Data), j.s.SendPrepared(Prepare(m, opts)))
	case n < 12:
		return fmt.Sprint("ping ", o.push(ping(), 0))
	case n < 13:
		return fmt.Sprint("pong ", o.push(codec.Packet{Type: codec.Pong}, 0))
	case n < 14:
		o.pushPong(m.Data[:min(len(m.Data), 125)])
		return "WebSocket pong"
	case n < 17:
		taken, _ := o.take(j.holder)
		queue, count := taken.first, taken.packets
		j.taken = append(j.taken, queue)
		o.finished(count, nil)
		return "take"
	case n < 18:
		return j.upgrade()
	default:
		return j.release()
	}
}

// release is a transport that has written what it took.
func (j *juggler) release() string {
	if len(j.taken) > 0 {
		j.s.out.free(j.taken[0])
		j.taken = j.taken[1:]
	}
	return "release"
}

// upgrade has another transport go on with the queue, unless frames in it may be compressed: nothing follows a WebSocket.
func (j *juggler) upgrade() string {
	next := new(bell)
	if !j.s.out.deflates && j.s.out.transfer(j.s.out.holder, next, j.rand.IntN(2) == 0, j.rand.IntN(4) == 0) {
		j.holder = next
	}
	return "upgrade"
}

// Whatever sessions do, the Server counts what their queues weigh, and nothing when they are gone.
func TestQueuedIsWhatQueuesWeigh(t *testing.T) {
	for seed := range uint64(60) {
		overflow := Overflow(seed % 4)
		t.Run(fmt.Sprintf("%d/%d", overflow, seed), func(t *testing.T) {
			srv := newTestServer(Config{MaxQueuedBytes: 1 << (10 + seed%12), MaxQueuedBytesTotal: 1 << (12 + seed%10), Overflow: overflow})
			defer shut(srv)
			jugglers := make([]*juggler, 4)
			for i := range jugglers {
				j := &juggler{holder: new(bell), rand: rand.New(rand.NewPCG(seed, uint64(i)))}
				j.s = newTestSession(t, srv, Revision(3+(seed+uint64(i))%2), Polling)
				j.s.out.textOnly = i%2 == 0
				if err := j.s.connect(j.holder); err != nil {
					t.Fatal(err)
				}
				jugglers[i] = j
			}
			for range 400 {
				j := jugglers[jugglers[0].rand.IntN(len(jugglers))]
				what := j.act()
				var queues []*chunk
				for _, j := range jugglers {
					queues = append(append(queues, j.s.out.first), j.taken...)
				}
				queuedBy(t, srv, what, queues...)
			}
			for i, end := range []func(s *Session){
				(*Session).CloseNow, func(s *Session) { s.Close(); s.terminate(0, nil) },
				func(s *Session) { s.terminate(ReasonPingTimeout, nil) }, func(s *Session) { s.out.detach(s.out.holder) },
			} {
				end(jugglers[i].s)
				for len(jugglers[i].taken) > 0 {
					jugglers[i].release()
				}
			}
			queuedBy(t, srv, "the end")
		})
	}
}

// unread is a WebSocket whose client reads when it is asked to. The open packet is read.
func unread(t *testing.T, srv *Server, deflate bool) (*Session, net.Conn, <-chan struct{}) {
	t.Helper()
	s := newTestSession(t, srv, V4, WebSocket)
	w := newWebSocket(s)
	w.deflate = deflate
	server, client := net.Pipe()
	left := make(chan struct{})
	go func() {
		defer close(left)
		hijack(t, newGuard(t, server), w.serve)
	}()
	if _, _, err := readFrame(client); err != nil {
		t.Fatal(err)
	}
	return s, client, left
}

// mixed are sends of all sorts, none of them above the bound of a queue.
func mixed(t *testing.T, s *Session) {
	t.Helper()
	for i, n := range []int{10, 2000, 500, 70_000, 3, 1200, 200_000} {
		m := Message{Data: []byte(strings.Repeat("m", n)), Binary: i%2 == 0}
		for _, opts := range []SendOption{0, NoCompress, 0} {
			if err := errors.Join(s.Send(m, opts), s.SendPrepared(Prepare(m, opts))); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Nothing is counted any more when all has been taken or thrown away, through the transports there are.
func TestQueuedComesToNothing(t *testing.T) {
	config := Config{MaxQueuedBytes: 16 << 20, CompressionThreshold: 100}
	pollings := map[string]func(t *testing.T, s *Session){
		"a poll":         func(_ *testing.T, s *Session) { get(s) },
		"CloseNow":       func(_ *testing.T, s *Session) { s.CloseNow() },
		"ping timeout":   func(t *testing.T, s *Session) { untilEnd(t, s, ReasonPingTimeout) },
		"Close, no poll": func(t *testing.T, s *Session) { s.Close(); untilEnd(t, s, ReasonServerClose) },
		"Close, a poll":  func(_ *testing.T, s *Session) { s.Close(); get(s) },
		"an upgrade": func(t *testing.T, s *Session) {
			c := probing(t, s)
			c.upgrade(t)
			_ = s.Flush(t.Context())
			c.close()
		},
	}
	for name, end := range pollings {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newTestServer(config)
				s := openPolling(t, srv, V4)
				mixed(t, s)
				queuedBy(t, srv, "before", s.out.first)
				end(t, s)
				synctest.Wait()
				queuedBy(t, srv, "after")
				shut(srv)
			})
		})
	}
	sockets := map[string]func(t *testing.T, s *Session, client net.Conn){
		"is read":        func(t *testing.T, s *Session, c net.Conn) { go drainFrames(c); _ = s.Flush(t.Context()) },
		"goes":           func(_ *testing.T, _ *Session, c net.Conn) { _ = c.Close() },
		"stalls":         func(t *testing.T, s *Session, _ net.Conn) { untilEnd(t, s, ReasonStalled) },
		"sees CloseNow":  func(_ *testing.T, s *Session, _ net.Conn) { s.CloseNow(); <-s.Context().Done() },
		"closes in time": func(t *testing.T, s *Session, c net.Conn) { s.Close(); drainFrames(c) },
	}
	for name, end := range sockets {
		for _, deflate := range []bool{false, true} {
			t.Run(fmt.Sprintf("a WebSocket %s, deflate %v", name, deflate), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					srv := newTestServer(config)
					s, client, left := unread(t, srv, deflate)
					mixed(t, s)
					end(t, s, client)
					_ = client.Close()
					<-left
					queuedBy(t, srv, "after")
					shut(srv)
				})
			})
		}
	}
}

// drainFrames reads until the connection ends.
func drainFrames(c net.Conn) {
	for {
		if _, _, err := readFrame(c); err != nil {
			return
		}
	}
}

// Above MaxQueuedBytesTotal slow sessions have 4 KiB each. One that is read, or keeps below that, does not notice.
func TestMaxQueuedTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const total = 4 << 20 // many chunks
		srv := newTestServer(Config{MaxQueuedBytes: 4 * total, MaxQueuedBytesTotal: total})
		slow, later := openPolling(t, srv, V4), openPolling(t, srv, V4)
		fast, c := openPipe(t, srv, V4)
		kilobyte := strings.Repeat("x", 1000)
		wire := 1000 + 1 + 4
		n := 0
		for slow.SendText(kilobyte) == nil {
			n++
		}
		if used := srv.queued.used.Load(); used < total || used > total+2*chunkSize || n*wire < total/2 {
			t.Errorf("the first is full with %d messages, and %d bytes in all", n, used)
		}
		for i := range 4 * (4 << 10) / wire {
			if err := later.SendText(kilobyte); (err == nil) != (wire*(i+1) <= 4<<10) {
				t.Errorf("message %d to a session that comes later: %v", i, err)
			}
			if err := fast.SendText(kilobyte); err != nil {
				t.Errorf("message %d to one that is read: %v", i, err)
			}
			c.expect(t, "1 4"+kilobyte)
		}
		get(later)
		if err := later.SendText(strings.Repeat("x", 100_000)); err != nil {
			t.Errorf("one message into an empty queue: %v", err)
		}
		get(slow)
		get(later)
		for i := range 30 {
			if err := later.SendText(kilobyte); err != nil {
				t.Errorf("when there is room again, message %d: %v", i, err)
			}
		}
		c.close()
		shut(srv)
		synctest.Wait()
		queuedBy(t, srv, "the end")
	})
}

// Flush waits for room under the common bound as under a queue's own.
func TestFlushUnderMaxQueuedTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{MaxQueuedBytesTotal: 1})
		s := openPolling(t, srv, V4)
		for s.SendText("a little at a time") == nil {
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		flushed := flushing(ctx, &s.out)
		if _, body := get(s); len(body) < 3500 || len(body) > 4<<10 {
			t.Errorf("%d bytes were queued, want about 4 KiB", len(body))
		}
		if err := <-flushed; err != nil {
			t.Error(err)
		}
		if err := s.SendText("more"); err != nil {
			t.Error(err)
		}
		shut(srv)
	})
}
