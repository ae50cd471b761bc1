package engineio

import (
	"testing"

	"github.com/valyala/fasthttp"
)

// A script tag of a foreign page must not open a session that the page can read.
func TestJSONPOfForeignPages(t *testing.T) {
	config := Config{
		AllowedOrigins: []string{"https://friend.example"},
		AllowOrigin: func(_ *fasthttp.RequestCtx, origin string) bool {
			if origin == "" {
				t.Error("AllowOrigin is asked about no origin")
			}
			return false
		},
	}
	for _, c := range []struct {
		name, query, site, referer string
		status                     int
	}{
		{"a page that hides, by plain HTTP", "&j=0", "", "", 403},
		{"own page", "&j=0", "same-origin", "http://example.com/page", 200},
		{"typed in", "&j=0", "none", "", 200},
		{"allowed page", "&j=0", "cross-site", "https://friend.example/", 200},
		{"allowed page, old browser", "&j=0", "", "https://friend.example/page", 200},
		{"own page, old browser", "&j=0", "", "http://example.com/page", 200},
		{"foreign page", "&j=0", "cross-site", "https://evil.example/", 403},
		{"foreign page that hides", "&j=0", "cross-site", "", 403},
		{"neighbour", "&j=0", "same-site", "http://texample.com/", 403},
		{"foreign page, old browser", "&j=0", "", "https://evil.example/", 403},
		{"nonsense", "&j=0", "", "::", 403},
		{"an image, which cannot be read", "", "cross-site", "https://evil.example/", 200},
	} {
		ctx := visit(t, New(config), "GET", handshake4+c.query, "Sec-Fetch-Site: "+c.site, "Referer: "+c.referer)
		if got := ctx.Response.StatusCode(); got != c.status {
			t.Errorf("%s: %d, want %d", c.name, got, c.status)
		}
	}
}
