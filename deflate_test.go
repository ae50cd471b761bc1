package engineio

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// A tape is a connection that keeps what is written to it.
type tape struct {
	net.Conn
	bytes.Buffer
}

func (c *tape) Write(b []byte) (int, error)     { return c.Buffer.Write(b) }
func (*tape) Read([]byte) (int, error)          { return 0, io.EOF }
func (*tape) SetWriteDeadline(time.Time) error  { return nil }
func (*tape) SetReadDeadline(time.Time) error   { return nil }
func (c *tape) frames(t testing.TB) []wireFrame { return wireFrames(t, c.Bytes()) }

// A wireFrame is a frame as a client sees it.
type wireFrame struct {
	op      ws.Op
	packed  bool
	payload string // unpacked
}

func (f wireFrame) String() string { return fmt.Sprintf("%d %v %.20q", f.op, f.packed, f.payload) }

func wireFrames(t testing.TB, b []byte) (frames []wireFrame) {
	t.Helper()
	for len(b) > 0 {
		n, at := int(b[1]), 2
		switch n {
		case 126:
			n, at = int(binary.BigEndian.Uint16(b[2:])), 4
		case 127:
			n, at = int(binary.BigEndian.Uint64(b[2:])), 10
		}
		f := wireFrame{op: ws.Op(b[0] & 0x0f), packed: b[0]&0x40 != 0, payload: string(b[at : at+n])}
		if f.packed {
			tail := strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")
			plain, err := io.ReadAll(flate.NewReader(io.MultiReader(strings.NewReader(f.payload), tail)))
			if err != nil {
				t.Fatalf("a frame does not inflate: %v", err)
			}
			f.payload = string(plain)
		}
		frames, b = append(frames, f), b[at+n:]
	}
	return frames
}

// deflating is an open session on a WebSocket with permessage-deflate, and what it writes.
func deflating(t testing.TB, config Config, rev Revision) (*Session, *webSocket, *tape) {
	t.Helper()
	s := newTestSession(t, newTestServer(config), rev, WebSocket)
	w := newWebSocket(s)
	w.deflate = true
	conn := new(tape)
	w.setConn(conn, nil)
	s.out.deflates = true
	held(s)
	s.connect(w)
	w.uncork()
	conn.Reset()
	return s, w, conn
}

// held corks s for as long as a test wants. The timer of a cork would drain, on a slow machine, what the test looks at.
func held(s *Session) {
	s.out.cork()
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if s.out.corkTimerRuns = true; s.out.corkTimer == nil {
		s.out.corkTimer = time.AfterFunc(time.Hour, s.out.expireCork)
		return
	}
	s.out.corkTimer.Reset(time.Hour)
}

// letters is a text that compresses.
func letters(n int) string { return strings.Repeat("abcdefgh", n/8+1)[:n] }

func TestWriteDeflated(t *testing.T) {
	const threshold = 200
	below, at := letters(threshold-2), letters(threshold-1) // a type byte comes before them
	noise := make([]byte, threshold)
	for i := range noise {
		noise[i] = byte(i * i * 7919 >> 3)
	}
	for _, c := range []struct {
		name string
		send func(s *Session)
		want []wireFrame
	}{
		{"below the threshold", func(s *Session) { _ = s.SendText(below) }, []wireFrame{{ws.Text, false, "4" + below}}},
		{"at the threshold", func(s *Session) { _ = s.SendText(at) }, []wireFrame{{ws.Text, true, "4" + at}}},
		{"binary", func(s *Session) { _ = s.SendBinary([]byte(at + "x")) }, []wireFrame{{ws.Binary, true, at + "x"}}},
		{"large", func(s *Session) { _ = s.SendText(letters(100_000)) }, []wireFrame{{ws.Text, true, "4" + letters(100_000)}}},
		{"NoCompress", func(s *Session) { _ = s.Send(Message{Data: []byte(at)}, NoCompress) }, []wireFrame{{ws.Text, false, "4" + at}}},
		{"a mixture", func(s *Session) {
			_ = s.SendText(at)
			_ = s.SendText(below)
			_ = s.Send(Message{Data: []byte(at)}, NoCompress)
			_ = s.SendText(at)
		}, []wireFrame{{ws.Text, true, "4" + at}, {ws.Text, false, "4" + below}, {ws.Text, false, "4" + at}, {ws.Text, true, "4" + at}}},
		{"noise", func(s *Session) { _ = s.SendBinary(noise) }, []wireFrame{{ws.Binary, false, string(noise)}}},
		{"the end", func(s *Session) { _ = s.SendText(at); s.Close() }, []wireFrame{{ws.Text, true, "4" + at}, {ws.Close, false, "\x03\xe8"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w, conn := deflating(t, Config{CompressionThreshold: threshold}, V4)
			held(s)
			c.send(s)
			drained(w)
			if got := conn.frames(t); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			s.CloseNow()
		})
	}
}

// drained uncorks, and waits for a drain of another goroutine.
func drained(w *webSocket) {
	w.uncork()
	w.s.out.waitIdle()
}

// Control frames are never compressed, whatever their size.
func TestControlFramesAreNotDeflated(t *testing.T) {
	s, w, conn := deflating(t, Config{CompressionThreshold: 1}, V4)
	held(s)
	data := letters(125)
	w.receive(ws.Ping, []byte(data))
	_ = s.SendText(data)
	w.receive(ws.Ping, nil)
	drained(w)
	want := []wireFrame{{ws.Pong, false, data}, {ws.Text, true, "4" + data}, {ws.Pong, false, ""}}
	if got := conn.frames(t); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.CloseNow()
}

func TestPreparedUnderDeflate(t *testing.T) {
	const threshold = 500
	short, long := letters(threshold-10), letters(3*threshold)
	for _, c := range []struct {
		name    string
		rev     Revision
		m       Message
		opts    SendOption
		want    wireFrame
		refers  bool // to a frame of the PreparedMessage
		deflate bool // to its compressed one
	}{
		{"a short text", V4, Message{Data: []byte(short)}, 0, wireFrame{ws.Text, false, "4" + short}, false, false},
		{"a long text", V4, Message{Data: []byte(long)}, 0, wireFrame{ws.Text, true, "4" + long}, true, true},
		{"NoCompress", V4, Message{Data: []byte(long)}, NoCompress, wireFrame{ws.Text, false, "4" + long}, true, false},
		{"short, NoCompress", V4, Message{Data: []byte(short)}, NoCompress, wireFrame{ws.Text, false, "4" + short}, false, false},
		{"binary", V4, Message{Data: []byte(long), Binary: true}, 0, wireFrame{ws.Binary, true, long}, true, true},
		{"binary of revision 3", V3, Message{Data: []byte(long), Binary: true}, 0, wireFrame{ws.Binary, true, "\x04" + long}, true, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w, conn := deflating(t, Config{CompressionThreshold: threshold}, c.rev)
			p := Prepare(c.m, c.opts)
			held(s)
			if err := s.SendPrepared(p); err != nil {
				t.Fatal(err)
			}
			queued := s.out.first
			if refers := queued.shared != nil; refers != c.refers || queued.compressed != c.deflate || queued.noCompress && c.opts == 0 {
				t.Errorf("queued with packed %v, plain %v, shared %v", queued.compressed, queued.noCompress, refers)
			}
			if c.deflate && unsafe.SliceData(queued.shared) != unsafe.SliceData(p.deflated(c.rev, false)) {
				t.Error("another frame than the PreparedMessage's is queued")
			}
			if n := len(queued.frames()); s.out.size != n {
				t.Errorf("%d bytes on the wire are counted as %d", n, s.out.size)
			}
			drained(w)
			if got := conn.frames(t); !slices.Equal(got, []wireFrame{c.want}) {
				t.Errorf("got %v, want %v", got, c.want)
			}
			s.CloseNow()
		})
	}
}

// Who has no permessage-deflate gets the plain frame of the same PreparedMessage.
func TestPreparedWithoutDeflate(t *testing.T) {
	p := PrepareText(letters(5000))
	p.deflated(V4, false)
	s, w, conn := deflating(t, Config{}, V4)
	w.deflate = false
	s.out.deflates = false
	held(s)
	_ = s.SendPrepared(p)
	drained(w)
	if got, want := conn.frames(t), []wireFrame{{ws.Text, false, "4" + letters(5000)}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	s.CloseNow()
}

func TestPreparedDeflatesOnce(t *testing.T) {
	for _, binary := range []bool{false, true} {
		p := Prepare(Message{Data: []byte(letters(5000)), Binary: binary}, 0)
		seen := make(map[*byte]string)
		for range 3 {
			for _, rev := range []Revision{V3, V4} {
				for _, textOnly := range []bool{false, true} {
					frame := p.deflated(rev, textOnly)
					kind := fmt.Sprint(rev, textOnly)
					if first, known := seen[unsafe.SliceData(frame)]; known && first != kind && binary {
						t.Errorf("%s has the frame of %s", kind, first)
					}
					seen[unsafe.SliceData(frame)] = kind
					got := wireFrames(t, frame)
					_, payload, _ := ws.Split(p.frame(rev, textOnly))
					if len(got) != 1 || !got[0].packed || got[0].payload != string(payload) {
						t.Errorf("%s: got %v", kind, got)
					}
				}
			}
		}
		if want := map[bool]int{false: 1, true: 4}[binary]; len(seen) != want {
			t.Errorf("binary %v: %d frames for %d kinds", binary, len(seen), want)
		}
	}
}

// Base64 does compress: the client that takes no binary frames gets it as text.
func TestTextOnlyUnderDeflate(t *testing.T) {
	s, w, conn := deflating(t, Config{}, V3)
	s.out.textOnly = true
	m := Message{Data: []byte(letters(3000)), Binary: true}
	held(s)
	_ = s.Send(m, 0)
	_ = s.SendPrepared(Prepare(m, 0))
	drained(w)
	want := string(codec.V3.AppendText(nil, blob(m.Data)))
	if got := conn.frames(t); !slices.Equal(got, []wireFrame{{ws.Text, true, want}, {ws.Text, true, want}}) {
		t.Errorf("got %v", got)
	}
	s.CloseNow()
}

// The extension is used where both sides want it.
func TestPerMessageDeflateOption(t *testing.T) {
	const offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
	for _, c := range []struct {
		on     bool
		header []string
		agreed bool
	}{
		{false, []string{offer}, false},
		{true, nil, false},
		{true, []string{offer}, true},
		{true, []string{"Sec-WebSocket-Extensions: x-webkit-deflate-frame"}, false},
	} {
		ctx := incoming("GET", webSocket4, append(slices.Clone(upgradeHeader), c.header...)...)
		s := newTestSession(t, newTestServer(Config{PerMessageDeflate: c.on}), V4, WebSocket)
		w := newWebSocket(s)
		w.accept(ctx, true)
		if answer := string(ctx.Response.Header.Peek("Sec-WebSocket-Extensions")); w.deflate != c.agreed || (answer != "") != c.agreed {
			t.Errorf("on %v, asked for %q: deflates %v, answered %q", c.on, c.header, w.deflate, answer)
		}
		s.CloseNow()
	}
}

// A PreparedMessage is compressed when somebody gets it so, and not before.
func TestPreparedIsNotDeflatedForNothing(t *testing.T) {
	const threshold = 500
	for _, c := range []struct {
		n    int // of the payload
		opts SendOption
		want bool
	}{
		{10, 0, false}, {threshold - 1, 0, false}, {threshold, 0, true}, {5000, 0, true}, {5000, NoCompress, false},
	} {
		s, w, conn := deflating(t, Config{CompressionThreshold: threshold}, V4)
		p := Prepare(Message{Data: []byte(letters(c.n - 1))}, c.opts)
		held(s)
		_ = s.SendPrepared(p)
		_ = s.Send(Message{Data: []byte(letters(c.n - 1))}, c.opts)
		drained(w)
		if packed := p.frames[p.kind(V4, false)|4].Load() != nil; packed != c.want {
			t.Errorf("%d bytes, options %v: compressed %v", c.n, c.opts, packed)
		}
		if f := conn.frames(t); len(f) != 2 || f[0] != f[1] || f[0].packed != c.want {
			t.Errorf("%d bytes, options %v: a PreparedMessage and a message travel as %v", c.n, c.opts, f)
		}
		s.CloseNow()
	}
}
