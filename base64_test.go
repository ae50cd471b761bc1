package engineio

import (
	"strings"
	"testing"
	"testing/synctest"

	"github.com/fasteio/engineio/internal/ws"
)

// What was queued for long-polling is text when it leaves by a WebSocket that asked for b64=1.
func TestQueuedBinaryBeforeABase64Upgrade(t *testing.T) {
	for _, rev := range []Revision{V3, V4} {
		synctest.Test(t, func(t *testing.T) {
			srv := newTestServer(Config{})
			s := openPolling(t, srv, rev)
			long := []byte(strings.Repeat("x", 2*sharedFrom))
			for _, send := range []func() error{
				func() error { return s.SendText("one") },
				func() error { return s.SendBinary([]byte{1, 2, 3}) },
				func() error { return s.SendPrepared(Prepare(Message{Data: long, Binary: true}, NoCompress)) },
				func() error { return s.SendPrepared(PrepareBinary([]byte{4})) },
				func() error { return s.SendPrepared(PrepareText(string(long))) },
				func() error { return s.SendText("two") },
			} {
				if err := send(); err != nil {
					t.Fatal(err)
				}
			}
			w := newWebSocket(s)
			w.base64 = true
			c := servePipe(t, w, w.serveProbe, s.beginUpgrade(w))
			c.upgrade(t)
			_ = s.SendBinary([]byte{5})
			_ = s.SendPrepared(PrepareBinary([]byte{6}))
			b := "1 " + string(rev.AppendText(nil, blob(nil)))
			c.expect(t, "1 4one", b+"AQID", b+strings.Repeat("eHh4", 2*sharedFrom/3)+"eHg=", b+"BA==",
				"1 4"+string(long), "1 4two", b+"BQ==", b+"Bg==")
			synctest.Wait()
			queuedBy(t, srv, "when all has left")
			c.close()
			shut(srv)
		})
	}
}

// The queue holds what it says it does after a change of its frames.
func TestSizeAfterABase64Upgrade(t *testing.T) {
	b := new(bell)
	o := openOutbox(b, 1<<20)
	for range 3 {
		_ = o.push(blob(make([]byte, 50_000)), 0)
		_ = o.push(text("between"), 0)
		_ = o.push(ping(), 0)
	}
	if !o.transfer(b, new(bell), true, false) {
		t.Fatal("it does not pass")
	}
	for _, what := range o.inconsistent() {
		t.Error(what)
	}
	if used, weighs := o.budget.used.Load(), weight(o.first); used != weighs {
		t.Errorf("%d bytes are counted, the queue weighs %d", used, weighs)
	}
}

// A message for many is encoded for the transport that takes it, though an upgrade comes while it is made.
func TestPreparedMeetsAnUpgrade(t *testing.T) {
	for _, deflates := range []bool{false, true} {
		for range 2000 {
			poll, socket := new(bell), new(bell)
			o := openOutbox(poll, 1<<20)
			o.deflateFrom = 10
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				for range 4 {
					_ = o.pushPrepared(PrepareBinary([]byte("a message for many")))
				}
			}()
			passed := o.transfer(poll, socket, true, deflates)
			<-sent
			taken, err := o.take(socket)
			queue := taken.first
			if !passed || err != nil {
				t.Fatal(passed, err)
			}
			for c := queue; c != nil; c = c.next {
				for frames := c.frames(); len(frames) > 0; {
					if op := ws.Op(frames[0] & 0x0f); op != ws.Text {
						t.Fatalf("a client that asked for text gets opcode %d", op)
					}
					if c.compressed {
						break // one frame, which Split may not know
					}
					_, _, frames = ws.Split(frames)
				}
			}
			o.free(queue)
		}
	}
}
