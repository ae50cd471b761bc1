package ws

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"
	"unsafe"
)

const (
	fin  = 0x80
	rsv1 = 0x40
	rsv2 = 0x20
	rsv3 = 0x10
)

type event struct {
	op      Op
	payload string
}

func (e event) String() string { return fmt.Sprintf("%d:%.20q(%d)", e.op, e.payload, len(e.payload)) }

// drain reads until an error and returns what came before it, and the code of an *Error, 0 for EOF.
func drain(t testing.TB, r *Reader) (events []event, code int) {
	t.Helper()
	for {
		ahead := r.Buffered()
		op, payload, err := r.Next()
		var bad *Error
		switch {
		case errors.As(err, &bad):
			if _, _, again := r.Next(); again != err {
				t.Errorf("the error does not stick: %v", again)
			}
			return events, bad.Code
		case err == io.EOF:
			if ahead {
				t.Error("Buffered promised something, EOF came")
			}
			return events, 0
		case err != nil:
			t.Fatal(err)
		}
		events = append(events, event{op, string(payload)})
	}
}

var long = strings.Repeat("0123456789abcdef", 20<<10/16) // 20 KiB: more than a page

// protocol is what the Autobahn test suite asks in its groups 1 to 7, and what it does not.
var protocol = []struct {
	name string
	in   []byte
	want []event
	code int // 0 for none
}{
	// 1: framing
	{"text/empty", frames(fin|1, ""), []event{{Text, ""}}, 0},
	{"text/125", frames(fin|1, long[:125]), []event{{Text, long[:125]}}, 0},
	{"text/126", frames(fin|1, long[:126]), []event{{Text, long[:126]}}, 0},
	{"text/127", frames(fin|1, long[:127]), []event{{Text, long[:127]}}, 0},
	{"binary/empty", frames(fin|2, ""), []event{{Binary, ""}}, 0},
	{"binary/300", frames(fin|2, bytes.Repeat([]byte{0xfe}, 300)), []event{{Binary, strings.Repeat("\xfe", 300)}}, 0},
	{"three", frames(fin|1, "a", fin|2, "b", fin|1, "c"), []event{{Text, "a"}, {Binary, "b"}, {Text, "c"}}, 0},
	{"length could be shorter", []byte("\x82\xfe\x00\x01\x00\x00\x00\x00a"), []event{{Binary, "a"}}, 0},
	{"length8 could be shorter", []byte("\x82\xff\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00a"), []event{{Binary, "a"}}, 0},
	{"length8 with top bit", []byte("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00a"), nil, 1002},
	{"length8 huge", []byte("\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00a"), nil, 1009},
	{"no mask", []byte("\x81\x01a"), nil, 1002},
	{"no mask, control", []byte("\x89\x00"), nil, 1002},

	// 2: pings and pongs
	{"ping/empty", frames(fin|9, ""), []event{{Ping, ""}}, 0},
	{"ping/binary", frames(fin|9, "\x00\xff\xfe\xfd"), []event{{Ping, "\x00\xff\xfe\xfd"}}, 0},
	{"ping/125", frames(fin|9, long[:125]), []event{{Ping, long[:125]}}, 0},
	{"ping/126", frames(fin|9, long[:126]), nil, 1002},
	{"pong unasked, ping", frames(fin|10, "x", fin|9, "y"), []event{{Pong, "x"}, {Ping, "y"}}, 0},

	// 3: reserved bits
	{"rsv3", frames(fin|rsv3|1, "a"), nil, 1002},
	{"rsv2 after text", frames(fin|1, "a", fin|rsv2|1, "b", fin|9, ""), []event{{Text, "a"}}, 1002},
	{"rsv1 not negotiated", frames(fin|rsv1|1, "a"), nil, 1002},
	{"rsv on ping", frames(fin|rsv2|rsv3|9, ""), nil, 1002},
	{"rsv on close", frames(fin|rsv1|rsv2|rsv3|8, ""), nil, 1002},

	// 4: opcodes
	{"opcode 3", frames(fin|3, ""), nil, 1002},
	{"opcode 7", frames(fin|7, "x"), nil, 1002},
	{"opcode 11", frames(fin|11, ""), nil, 1002},
	{"opcode 15 after text", frames(fin|1, "a", fin|15, ""), []event{{Text, "a"}}, 1002},

	// 5: fragments
	{"ping in fragments", frames(9, "a", fin, "b"), nil, 1002},
	{"pong in fragments", frames(10, "a", fin, "b"), nil, 1002},
	{"two fragments", frames(1, "ab", fin, "cd"), []event{{Text, "abcd"}}, 0},
	{"ping between", frames(1, "ab", fin|9, "p", fin, "cd"), []event{{Ping, "p"}, {Text, "abcd"}}, 0},
	{"empty fragments", frames(1, "", 0, "", fin, ""), []event{{Text, ""}}, 0},
	{"empty around", frames(2, "", 0, "m", fin, ""), []event{{Binary, "m"}}, 0},
	{"continuation first", frames(fin, "a", fin|1, "b"), nil, 1002},
	{"unfinished continuation first", frames(0, "a"), nil, 1002},
	{"continuation after end", frames(1, "a", fin, "b", fin, "c"), []event{{Text, "ab"}}, 1002},
	{"text in text", frames(1, "a", fin|1, "b"), nil, 1002},
	{"unfinished text in text", frames(1, "a", 2, "b"), nil, 1002},
	{"pings all over", frames(1, "1", fin|9, "a", 0, "2", 0, "3", fin|9, "b", fin, "4", fin|2, "z"),
		[]event{{Ping, "a"}, {Ping, "b"}, {Text, "1234"}, {Binary, "z"}}, 0},
	{"close between", frames(1, "1", fin|8, closePayload(1000, "")), []event{{Close, "\x03\xe8"}}, 0},

	// 6: UTF-8
	{"utf8/split in rune", frames(1, "κ\xcf", 0, "", fin, "\x8c!"), []event{{Text, "κό"[:2] + "\xcf\x8c!"}}, 0},
	{"utf8/bytewise", frames(1, "\xf0", 0, "\x9f", 0, "\x98", fin, "\x80"), []event{{Text, "😀"}}, 0},
	{"utf8/bad", frames(fin|1, "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"), nil, 1007},
	{"utf8/bad, early", frames(1, "\xce\xba\xf4\x90", 0, "\x80\x80"), nil, 1007},
	{"utf8/cut off", frames(fin|1, "a\xe2\x82"), nil, 1007},
	{"utf8/cut off at last fragment", frames(1, "a", fin, "\xe2\x82"), nil, 1007},
	{"utf8/stray continuation byte", frames(1, "a", fin, "\x80"), nil, 1007},
	{"utf8/overlong", frames(fin|1, "\xc0\xaf"), nil, 1007},
	{"utf8/surrogate", frames(fin|1, "\xed\xbf\xbf"), nil, 1007},
	{"utf8/last code point", frames(fin|1, "\U0010FFFF"), []event{{Text, "\U0010FFFF"}}, 0},
	{"utf8/beyond", frames(fin|1, "\xf4\x90\x80\x80"), nil, 1007},
	{"utf8/noncharacters", frames(fin|1, "\uFFFE\uFFFF"), []event{{Text, "\uFFFE\uFFFF"}}, 0},
	{"utf8/not in binary", frames(2, "\xff", fin, "\xfe"), []event{{Binary, "\xff\xfe"}}, 0},

	// 7: close
	{"close/empty", frames(fin|8, ""), []event{{Close, ""}}, 0},
	{"close/one byte", frames(fin|8, "a"), nil, 1002},
	{"close/code", frames(fin|8, closePayload(1001, "")), []event{{Close, "\x03\xe9"}}, 0},
	{"close/reason", frames(fin|8, closePayload(1000, "bye €")), []event{{Close, "\x03\xe8bye €"}}, 0},
	{"close/longest", frames(fin|8, closePayload(1000, long[:123])), []event{{Close, "\x03\xe8" + long[:123]}}, 0},
	{"close/too long", frames(fin|8, closePayload(1000, long[:124])), nil, 1002},
	{"close/reason not UTF-8", frames(fin|8, closePayload(1000, "\xce\xba\xed\xa0\x80")), nil, 1007},
	{"close/twice", frames(fin|8, "", fin|8, ""), []event{{Close, ""}, {Close, ""}}, 0},
	{"close/fragment", frames(8, closePayload(1000, "")), nil, 1002},
}

func TestProtocol(t *testing.T) {
	for _, test := range protocol {
		check := func(t *testing.T, how string, r *Reader) {
			t.Helper()
			events, code := drain(t, r)
			r.Release()
			if !slices.Equal(events, test.want) || code != test.code {
				t.Fatalf("%s: %v, code %d; want %v, code %d", how, events, code, test.want, test.code)
			}
		}
		t.Run(test.name, func(t *testing.T) {
			check(t, "early", NewReader(&script{}, clone(test.in), 1<<20))
			for cut := range len(test.in) {
				in := clone(test.in)
				check(t, fmt.Sprintf("cut at %d", cut), NewReader(&script{chunks: [][]byte{in[:cut], in[cut:]}}, nil, 1<<20))
				in = clone(test.in)
				check(t, fmt.Sprintf("%d early", cut), NewReader(&script{chunks: [][]byte{in[cut:]}}, in[:cut], 1<<20))
			}
			check(t, "bytewise", NewReader(&script{chunks: slices.Collect(slices.Chunk(clone(test.in), 1))}, nil, 1<<20))
		})
	}
}

// The same on sockets, where the Reader waits without a buffer. A packet socket keeps the boundaries.
func TestProtocolOnSockets(t *testing.T) {
	for _, test := range protocol {
		t.Run(test.name, func(t *testing.T) {
			step := 1 + len(test.in)/16
			for cut := 0; cut < len(test.in); cut += step {
				server, client := packetPair(t)
				if cut > 0 {
					client.Write(test.in[:cut])
				}
				client.Write(test.in[cut:])
				client.Close()
				r := NewReader(server, nil, 1<<20)
				if (r.raw != nil) != canRead {
					t.Fatal("descriptor not used")
				}
				events, code := drain(t, r)
				r.Release()
				if !slices.Equal(events, test.want) || code != test.code {
					t.Fatalf("cut at %d: %v, code %d; want %v, code %d", cut, events, code, test.want, test.code)
				}
			}
		})
	}
}

func TestCloseCodes(t *testing.T) {
	valid := []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999}
	invalid := []int{0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535}
	for _, code := range append(valid, invalid...) {
		r := NewReader(&script{}, frames(fin|8, closePayload(code, "r")), 0)
		events, bad := drain(t, r)
		if want := slices.Contains(valid, code); (bad == 0 && len(events) == 1) != want || !want && bad != 1002 {
			t.Errorf("%d: %v, %d", code, events, bad)
		}
	}
}

// Sizes around every boundary the Reader has, in one frame and in fragments, in several chunkings.
func TestSizes(t *testing.T) {
	sizes := []int{0, 1, 5, 6, 125, 126, pageSize - 15, pageSize - 9, pageSize - 8, pageSize - 7, pageSize, pageSize + 1,
		2*pageSize - 1, 3 * pageSize, maxAhead - 1, maxAhead, maxAhead + 1, 2*maxAhead + 17, 1 << 20, 1<<20 + 5}
	text := bytes.Repeat([]byte("aé€😀"), 2<<20/10)
	for _, size := range sizes {
		for !utf8.Valid(text[:size]) {
			size++
		}
		payload := text[:size]
		var whole, parts []byte
		whole = frames(fin|1, payload, fin|9, "p", fin|2, payload)
		cut := size / 3
		parts = frames(1, payload[:cut], fin|9, "q", 0, payload[cut:2*cut], fin, payload[2*cut:])
		want := []event{{Text, string(payload)}, {Ping, "p"}, {Binary, string(payload)}, {Ping, "q"}, {Text, string(payload)}}
		in := append(whole, parts...)
		for _, step := range []int{7, 100, 1460, pageSize, pageSize + 3, 50_000, len(in)} {
			if step < 100 && size > 3*pageSize {
				continue
			}
			r := NewReader(&script{chunks: slices.Collect(slices.Chunk(clone(in), step))}, nil, 4<<20)
			if events, code := drain(t, r); !slices.Equal(events, want) || code != 0 {
				t.Fatalf("%d bytes in steps of %d: %v, code %d", size, step, events, code)
			}
			r.Release()
		}
		server, client := tcpPair(t)
		go func() { client.Write(in); client.Close() }()
		early := min(len(in), 5000)
		io.CopyN(io.Discard, server, int64(early))
		r := NewReader(server, clone(in[:early]), 4<<20)
		if events, code := drain(t, r); !slices.Equal(events, want) || code != 0 {
			t.Fatalf("%d bytes over TCP: %v, code %d", size, events, code)
		}
		r.Release()
	}
}

func TestLimit(t *testing.T) {
	for _, test := range []struct {
		name string
		in   []byte
		code int
	}{
		{"exact", frames(fin|2, long[:1000]), 0},
		{"one more", frames(fin|2, long[:1001]), 1009},
		{"header alone", frames(fin|2, long[:1001])[:8], 1009},
		{"fragments, exact", frames(2, long[:500], 0, long[:500], fin, ""), 0},
		{"fragments, one more", frames(2, long[:500], 0, long[:500], fin, "x"), 1009},
		{"next message counts anew", frames(fin|2, long[:1000], fin|2, long[:1000]), 0},
		{"large frame", frames(fin|2, long), 1009},
	} {
		r := NewReader(&script{chunks: [][]byte{clone(test.in)}}, nil, 1000)
		if _, code := drain(t, r); code != test.code {
			t.Errorf("%s: code %d, want %d", test.name, code, test.code)
		}
	}
}

// A header may claim 64 KiB, not the gigabyte it declares; then memory follows what arrives.
func TestDeclaredLength(t *testing.T) {
	in := []byte("\x82\xff\x00\x00\x00\x00\x20\x00\x00\x00\x00\x00\x00\x00")
	in = append(in, make([]byte, 200_000)...)
	for _, n := range []int{14, 15, 5000, 70_000, 200_000} {
		r := NewReader(&script{chunks: [][]byte{clone(in[:n])}}, nil, 1<<30)
		drain(t, r)
		held := 0
		if r.msg != nil {
			held = cap(*r.msg)
		}
		if held > max(maxAhead, 4*n) {
			t.Errorf("%d bytes in: %d held", n, held)
		}
	}
}

func TestTextFailsEarly(t *testing.T) {
	server, client := net.Pipe()
	defer client.Close()
	r := NewReader(server, nil, 1<<20)
	go client.Write(frames(1, "ok \xf4\x90")) // and nothing more
	if _, _, err := r.Next(); err != errText {
		t.Errorf("fragment: %v", err)
	}
	r = NewReader(server, nil, 1<<20)
	bad := []byte(long)
	bad[9000] = 0xff
	go client.Write(frames(fin|1, bad)[:10_000])
	if _, _, err := r.Next(); err != errText {
		t.Errorf("long frame: %v", err)
	}
}

// After a deadline Next goes on where it stopped, wherever that was.
func TestResume(t *testing.T) {
	in := frames(1, "ab", fin|9, "ping", 0, long, fin, "cd", fin|1, "one frame", fin|2, long)
	want := []event{{Ping, "ping"}, {Text, "ab" + long + "cd"}, {Text, "one frame"}, {Binary, long}}
	for name, pair := range map[string]func(testing.TB) (net.Conn, net.Conn){"tcp": tcpPair, "tls": tlsPair} {
		t.Run(name, func(t *testing.T) {
			server, client := pair(t)
			r := NewReader(server, nil, 1<<20)
			defer r.Release()
			step := make(chan struct{})
			go func() {
				for part := range slices.Chunk(in, len(in)/40+1) {
					client.Write(part)
					<-step
				}
				client.Close()
			}()
			var events []event
			timeouts := 0
			for {
				server.SetReadDeadline(time.Now().Add(2 * time.Millisecond))
				op, payload, err := r.Next()
				if errors.Is(err, os.ErrDeadlineExceeded) {
					timeouts++
					select {
					case step <- struct{}{}:
					default:
					}
					continue
				}
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				events = append(events, event{op, string(payload)})
			}
			if !slices.Equal(events, want) || timeouts == 0 {
				t.Errorf("%v after %d timeouts", events, timeouts)
			}
		})
	}
}

func TestBuffered(t *testing.T) {
	for _, test := range []struct {
		name string
		in   []byte
		want bool
	}{
		{"nothing", nil, false},
		{"half a header", frames(fin|1, "abc")[:1], false},
		{"half a frame", frames(fin|1, "abc")[:8], false},
		{"frame", frames(fin|1, "abc"), true},
		{"first fragment", frames(1, "abc"), false},
		{"message", frames(1, "abc", 0, "d", fin, "e"), true},
		{"ping in fragments", frames(1, "abc", 0, "d", fin|9, "e"), true},
		{"half a ping in fragments", frames(1, "abc", 0, "d", fin|9, "e")[:18], false},
		{"error", []byte{fin | 3}, true},
		{"error later", frames(1, "abc", 1, "d"), true},
		{"long frame", frames(fin|2, long), true},
		{"most of a long frame", frames(fin|2, long)[:20_000], false},
	} {
		r := NewReader(&script{}, clone(test.in), 1<<20)
		if got := r.Buffered(); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
	r := NewReader(&script{}, frames(fin|1, "a", fin|1, "b"), 1<<20)
	for _, want := range []bool{true, true, false} {
		if got := r.Buffered(); got != want {
			t.Fatalf("%v, want %v", got, want)
		}
		r.Next()
	}
	r.Release()
	if _, _, err := r.Next(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Release: %v", err)
	}
}

// An idle Reader is its own size and holds nothing.
func TestIdle(t *testing.T) {
	if size := unsafe.Sizeof(Reader{}); unsafe.Sizeof(uintptr(0)) == 8 && size > 128 {
		t.Errorf("Reader takes %d bytes", size)
	}
	for name, pair := range map[string]func(testing.TB) (net.Conn, net.Conn){"tcp": tcpPair, "tls": tlsPair} {
		server, client := pair(t)
		r := NewReader(server, nil, 1<<20)
		client.Write(frames(fin|2, long, fin|1, "end"))
		for range 2 {
			if _, _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}
		var wg sync.WaitGroup
		wg.Go(func() { r.Next() })
		time.Sleep(5 * time.Millisecond)
		server.SetReadDeadline(time.Unix(1, 0))
		wg.Wait()
		if r.page != nil || r.msg != nil {
			t.Errorf("%s: an idle connection holds a buffer", name)
		}
	}
}

func TestReset(t *testing.T) {
	server, client := tcpPair(t)
	r := NewReader(server, nil, 100)
	client.(*net.TCPConn).SetLinger(0)
	client.Close()
	_, _, err := r.Next()
	var bad *Error
	if err == nil || err == io.EOF || errors.As(err, &bad) {
		t.Errorf("%v", err)
	}
}
