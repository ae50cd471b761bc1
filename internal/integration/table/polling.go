package table

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// samples are messages that an echo must bring back: of all kinds and sizes.
var samples = []codec.Packet{
	enginetest.Text("hello"),
	enginetest.Text(""),
	enginetest.Text("€ 😀 \x00 \\n \"\u2028\" :;&+%"),
	enginetest.Binary([]byte{0, 1, 0x1e, 0xff}),
	enginetest.Binary([]byte{}),
	enginetest.Text(strings.Repeat("€", 60_000)),
	enginetest.Binary(bytes.Repeat([]byte("0123456789\x1e\xff"), 15_000)),
}

// echoes has a client's samples echoed, one by one.
func (e *engine) echoes(c enginetest.Client) {
	e.Helper()
	for _, p := range samples {
		e.send(c, p)
		e.expect(c, p)
	}
}

func polling(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	for _, revision := range enginetest.Revisions {
		e.echoes(e.polling(enginetest.Setup{Revision: revision}))
	}
	e.echoes(e.polling(enginetest.Setup{Revision: codec.V3, Query: "b64=1"}))
}

func packetsOfOnePost(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	for _, revision := range enginetest.Revisions {
		p := e.polling(enginetest.Setup{Revision: revision})
		var packets []codec.Packet
		for i := range 100 {
			packets = append(packets, enginetest.Text(fmt.Sprint("message ", i)), enginetest.Binary([]byte{byte(i)}))
		}
		e.send(p, packets...)
		e.expect(p, packets...)
	}
}

// JSONP is spoken by scripts of the page's own host.
func jsonp(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	for _, revision := range enginetest.Revisions {
		const own = "Sec-Fetch-Site: same-origin"
		setup := enginetest.Setup{Revision: revision, Query: "j=7&b64=1"}
		r := e.do("GET", setup.URI("polling", ""), nil, own)
		_, id, _ := strings.Cut(string(r.Body), `\"sid\":\"`)
		id, _, ok := strings.Cut(id, `\"`)
		if r.Status != 200 || !ok || !bytes.HasPrefix(r.Body, []byte("___eio[7](\"")) || !bytes.HasSuffix(r.Body, []byte(`");`)) {
			t.Fatalf("the handshake is answered %d %s", r.Status, r.Body)
		}
		payload := "4hello"
		if revision == codec.V3 {
			payload = "6:4hello"
		}
		form := []byte("d=" + url.QueryEscape(payload))
		r = e.do("POST", setup.URI("polling", id), form, own, "Content-Type: application/x-www-form-urlencoded")
		if r.Status != 200 || string(r.Body) != "ok" {
			t.Fatalf("the POST is answered %d %s", r.Status, r.Body)
		}
		r = e.do("GET", setup.URI("polling", id), nil, own)
		if want := `___eio[7]("` + payload + `");`; r.Status != 200 || string(r.Body) != want {
			t.Fatalf("the GET is answered %d %s, want %s", r.Status, r.Body, want)
		}
		for _, foreign := range []string{"Sec-Fetch-Site: cross-site", "Referer: https://evil.example/"} {
			if r = e.do("GET", setup.URI("polling", ""), nil, foreign); r.Status != 403 {
				t.Errorf("%s is answered %d", foreign, r.Status)
			}
		}
	}
}
