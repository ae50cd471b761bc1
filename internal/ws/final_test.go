package ws

import (
	"bytes"
	"compress/flate"
	"io"
	"slices"
	"testing"
)

// A sender may flush and then close its compressor, as github.com/gobwas/ws does. The last block is empty then, as it
// must be, and has the final bit, as it may (RFC 7692, 7.2.1); its second half is the four octets that the sender cuts off.
func TestDeflatedMessageEndsWithAFinalEmptyBlock(t *testing.T) {
	for _, s := range []string{"", "Hello", long} {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, 9)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, s)
		_ = w.Flush()
		_ = w.Close()
		packed, cut := bytes.CutSuffix(b.Bytes(), []byte("\x00\x00\xff\xff"))
		if !cut {
			t.Fatalf("%x does not end with an empty block", b.Bytes())
		}
		in := frames(fin|rsv1|1, packed, fin|1, "next")
		r := NewReader(&script{chunks: [][]byte{in}}, nil, 1<<20)
		r.AcceptDeflated()
		if events, code := drain(t, r); code != 0 || !slices.Equal(events, []event{{Text, s}, {Text, "next"}}) {
			t.Errorf("%d bytes: %v, code %d", len(s), events, code)
		}
		r.Release()
	}
}

// A final block may stand in the middle of a message, and the next may refer to what was before it (RFC 7692, 7.2.1).
func TestDeflatedMessageWithAFinalBlockInTheMiddle(t *testing.T) {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 9)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, long)
	_ = w.Close()
	w, err = flate.NewWriterDict(&b, 9, []byte(long))
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(w, long)
	_ = w.Flush()
	packed := bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff"))
	r := NewReader(&script{chunks: [][]byte{frames(fin|rsv1|1, packed, fin|1, "next")}}, nil, 1<<20)
	r.AcceptDeflated()
	if events, code := drain(t, r); code != 0 || !slices.Equal(events, []event{{Text, long + long}, {Text, "next"}}) {
		t.Errorf("%v, code %d", events, code)
	}
	r.Release()
}

// Their number is bounded, as each costs a copy of the window.
func TestDeflatedMessageOfFinalBlocksOnly(t *testing.T) {
	r := NewReader(&script{chunks: [][]byte{frames(fin|rsv1|1, bytes.Repeat([]byte("\x03\x00"), 10_000))}}, nil, 1<<20)
	r.AcceptDeflated()
	if _, code := drain(t, r); code != 1007 {
		t.Errorf("code %d, want 1007", code)
	}
	r.Release()
}
