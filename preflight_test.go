package engineio

import "testing"

// What a preflight asks for is granted as far as it is a list of header names, and never echoed otherwise.
func TestPreflightReflectsNames(t *testing.T) {
	for _, c := range []struct {
		asked   string
		granted bool
	}{
		{"content-type", true},
		{"X-Custom, content-type,x_y", true},
		{"a!#$%&'*+-.^_`|~9", true},
		{"x-a; y", false},
		{"<script>", false},
		{"x-a: b", false},
		{`"quoted"`, false},
		{"x-a\tb", false},
		{"x-\u00e9", false},
		{"x-a\x01", false},
		{"", false},
	} {
		h := &visit(t, newTestServer(Config{}), "OPTIONS", handshake4, "Origin: http://example.com",
			"Access-Control-Request-Headers: "+c.asked).Response
		want, vary := "", "Origin"
		if c.granted {
			want, vary = c.asked, "Origin, Access-Control-Request-Headers"
		}
		if got := string(h.Header.Peek("Access-Control-Allow-Headers")); got != want || h.StatusCode() != 204 {
			t.Errorf("asked for %q: answered %d, granted %q", c.asked, h.StatusCode(), got)
		}
		if got := string(h.Header.Peek("Vary")); got != vary {
			t.Errorf("asked for %q: Vary is %q", c.asked, got)
		}
	}
}
