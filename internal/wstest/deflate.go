package wstest

import (
	"bytes"
	"compress/flate"
	"io"
	"strings"
)

// DeflateHeader offers permessage-deflate without context takeover.
const DeflateHeader = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover"

// Deflate compresses a whole message, RFC 7692 section 7.2.1.
func Deflate(f Frame) Frame {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed) // fails on an unknown level only, and a Buffer never does
	_, _ = io.WriteString(w, f.Payload)
	_ = w.Flush()
	return Frame{f.First | RSV1, strings.TrimSuffix(b.String(), "\x00\x00\xff\xff")}
}

// Inflate is the reverse. A frame that is not compressed stays as it is.
func Inflate(f Frame) (Frame, error) {
	if f.First&RSV1 == 0 {
		return f, nil
	}
	b, err := io.ReadAll(flate.NewReader(strings.NewReader(f.Payload + "\x00\x00\xff\xff\x01\x00\x00\xff\xff")))
	return Frame{f.First &^ RSV1, string(b)}, err
}
