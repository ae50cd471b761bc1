package compress

import (
	"bytes"
	"testing"
	"testing/synctest"
)

// The coders are the process's. One that was made or used first in a synctest bubble works outside of it and in the
// next one: a channel of its own would be fatal there.
func TestBubbles(t *testing.T) {
	for _, e := range codings {
		body := payload(4000)
		use := func(t *testing.T) {
			coded := newCompressor(t, Options{}).Append(nil, body, e)
			got, err := AppendDecompressed(nil, coded, e, len(body))
			if err != nil || !bytes.Equal(got, body) {
				t.Errorf("%v: %d bytes, %v", e, len(got), err)
			}
			if _, err := AppendDecompressed(nil, coded[:len(coded)-5], e, len(body)); err == nil {
				t.Errorf("%v: a damaged body is accepted", e)
			}
		}
		synctest.Test(t, use)
		use(t)
		synctest.Test(t, use)
	}
}
