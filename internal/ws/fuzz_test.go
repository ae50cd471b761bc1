package ws

import (
	"bytes"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
	"unicode/utf8"
)

// FuzzReader feeds the same bytes whole and in chunks whose sizes the input chooses. What comes out must not depend on the
// chunks, must keep the Reader's promises, and without compression must be what a plain decoder finds.
func FuzzReader(f *testing.F) {
	for i, test := range protocol {
		f.Add(test.in, []byte{byte(i), 3, 7}, uint16(1000), i%2 == 0)
	}
	f.Add(frames(fin|rsv1|1, deflated(f, long)), []byte{100}, uint16(60_000), true)
	f.Add(frames(fin|2, long, 1, long, fin|9, "p", fin, "€"), []byte{255, 255, 1}, uint16(60_000), false)
	f.Fuzz(func(t *testing.T, in, sizes []byte, limit uint16, inflate bool) {
		read := func(c net.Conn, early []byte) ([]event, int) {
			r := NewReader(c, early, int(limit))
			r.inflate = inflate
			defer r.Release()
			return drain(t, r)
		}
		events, code := read(&script{}, clone(in))
		promises(t, events, int(limit))

		var chunks [][]byte
		rest := clone(in)
		for i := 0; len(sizes) > 0 && len(rest) > 0; i = (i + 1) % len(sizes) {
			n := min(1+int(sizes[i])*int(sizes[i]), len(rest)) // up to 65 KB
			chunks, rest = append(chunks, rest[:n:n]), rest[n:]
		}
		chunks = append(chunks, rest)
		for i, how := range []string{"chunks", "early and chunks", "socket"} {
			chunks := slices.Clone(chunks)
			for i := range chunks {
				chunks[i] = clone(chunks[i])
			}
			var again []event
			var code2 int
			switch i {
			case 0:
				again, code2 = read(&script{chunks: chunks}, nil)
			case 1:
				again, code2 = read(&script{chunks: chunks[1:]}, chunks[0])
			case 2:
				again, code2 = read(socketOf(t, in), nil)
			}
			if !slices.Equal(events, again) || code != code2 {
				t.Fatalf("whole: %v, %d\n%s: %v, %d", events, code, how, again, code2)
			}
		}
		if want, wantCode := decode(in, int(limit)); !inflate {
			if !slices.Equal(events, want) {
				t.Fatalf("%v\nwant %v", events, want)
			}
			if code != wantCode && !(code == 1007 && wantCode == 0) { // text that fails before its end
				t.Fatalf("code %d, want %d", code, wantCode)
			}
		}
	})
}

func promises(t *testing.T, events []event, limit int) {
	for _, e := range events {
		switch {
		case e.op >= Close && len(e.payload) > 125, e.op < Close && len(e.payload) > limit, e.op == Continuation:
			t.Fatalf("%v with limit %d", e, limit)
		case e.op == Text && !utf8.ValidString(e.payload):
			t.Fatalf("%v is not UTF-8", e)
		}
		if e.op == Close {
			code, reason := ParseClose([]byte(e.payload))
			if _, again, _ := Split(AppendClose(nil, code, reason)); string(again) != e.payload {
				t.Fatalf("close %q echoes as %q", e.payload, again)
			}
		}
	}
}

// socketOf returns the end of a socket on which in arrives, and then EOF.
func socketOf(t *testing.T, in []byte) net.Conn {
	server, client := tcpPair(t)
	go func() {
		io.Copy(client, bytes.NewReader(in))
		client.(*net.TCPConn).CloseWrite()
	}()
	return server
}

// decode is the protocol without compression, written for reading.
func decode(in []byte, limit int) (events []event, code int) {
	var message []byte
	var started Op
	for {
		h, err := parseHeader(in)
		var bad *Error
		switch {
		case err != nil && errors.As(err, &bad):
			return events, bad.Code
		case h.len == 0:
			return events, 0
		case h.rsv1:
			return events, 1002
		case h.op < Close && (h.op == Continuation) != (started != Continuation):
			return events, 1002
		case h.op < Close && h.size > int64(limit-len(message)):
			return events, 1009
		case h.size > int64(len(in)-h.len):
			return events, 0
		}
		payload := clone(in[h.len : h.len+int(h.size)])
		for i := range payload {
			payload[i] ^= in[h.len-4+i%4]
		}
		in = in[h.len+int(h.size):]
		if h.op >= Close {
			if h.op == Close {
				if err := checkClose(payload); err != nil {
					return events, err.Code
				}
			}
			events = append(events, event{h.op, string(payload)})
			continue
		}
		message = append(message, payload...)
		if h.op != Continuation {
			started = h.op
		}
		if started == Text && !h.fin && !utf8.Valid(message[:len(message)-cutRune(message)]) {
			return events, 1007 // fragments are checked as they come
		}
		if h.fin {
			if started == Text && !utf8.Valid(message) {
				return events, 1007
			}
			events = append(events, event{started, string(message)})
			message, started = nil, Continuation
		}
	}
}
