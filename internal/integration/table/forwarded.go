package table

import (
	"cmp"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// What a trusted proxy says of its client counts, for the address, the page's own host and the cookie; what others say
// does not.
func forwarded(t *testing.T, at place) {
	header := []string{
		"X-Forwarded-For: 198.51.100.1, 203.0.113.9", "X-Forwarded-Host: shop.example", "X-Forwarded-Proto: https",
		"Origin: https://shop.example",
	}
	e := at.serve(t, engineio.Config{
		TrustedProxies: []string{cmp.Or(at.setting.Proxy, "127.0.0.1")},
		Cookie:         &engineio.Cookie{},
	})
	for _, way := range enginetest.Ways {
		s := e.session(e.connect(enginetest.Setup{Way: way, Header: header}))
		if got := s.RemoteAddr().Addr().String(); got != "203.0.113.9" {
			t.Errorf("%s: the client is %s", way, got)
		}
	}
	r := e.do("GET", enginetest.Setup{}.URI("polling", ""), nil, header...)
	if cookie := r.Header.Get("Set-Cookie"); !strings.Contains(strings.ToLower(cookie), "; secure") {
		t.Errorf("the cookie is %q", cookie)
	}

	e = at.serve(t, engineio.Config{})
	s := e.session(e.polling(enginetest.Setup{Header: header[:1]}))
	if got := s.RemoteAddr().Addr(); got.IsValid() && got.String() != "127.0.0.1" {
		t.Errorf("nobody is trusted, and the client is %s", got)
	}
	if r := e.do("GET", enginetest.Setup{}.URI("polling", ""), nil, header...); r.Status != 403 {
		t.Errorf("nobody is trusted, and the origin is answered %d", r.Status)
	}
}
