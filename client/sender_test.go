package client_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

func TestPostsAreCutByMaxPayload(t *testing.T) {
	r := &raw{}
	r.post = func(ctx *fasthttp.RequestCtx) { time.Sleep(time.Millisecond) } // so that messages gather
	c := dial(t, r.start(t), nil)
	ctx := background(t)
	var want []string
	for i := range 500 {
		text := fmt.Sprintf("%d €%s", i, strings.Repeat("x", i%50))
		want = append(want, "4"+text)
		must(t, c.SendText(ctx, text))
		if i%7 == 0 {
			must(t, c.SendBinary(ctx, []byte{1, 2, 3, 4}))
			want = append(want, "bAQIDBA==")
		}
	}
	must(t, c.Close())
	var bodies []string
	full := 0
	for _, request := range r.log() {
		body, ok := strings.CutPrefix(request, "POST ")
		if !ok {
			continue
		}
		if len(body) > 1000 {
			t.Errorf("a POST of %d bytes", len(body))
		}
		if len(body) > 900 {
			full++
		}
		bodies = append(bodies, body)
	}
	if got := strings.Join(bodies, "\x1e"); got != strings.Join(want, "\x1e")+"\x1e1" {
		t.Errorf("the POSTs are not what was sent: %.300q", got)
	}
	if full == 0 {
		t.Error("no POST is nearly full")
	}
}

// python-engineio loses what is beyond 16 packets, and answers OK; ok is the reference's word.
func TestPostsAreOfFewPacketsUntilOk(t *testing.T) {
	const n = 200
	for name, test := range map[string]struct {
		open, answer string
		most, posts  int
	}{
		"OK":                {openPacket, "OK", 16, (n + 14) / 15},
		"OK, no maxPayload": {`0{"sid":"a/b&c","upgrades":[]}`, "OK", 16, (n + 14) / 15},
		"ok":                {openPacket, "ok", n, 2},
		"ok, no maxPayload": {`0{"sid":"a/b&c","upgrades":[]}`, "ok", n, 2},
	} {
		t.Run(name, func(t *testing.T) {
			queued := make(chan struct{})
			r := &raw{open: test.open, post: func(ctx *fasthttp.RequestCtx) {
				<-queued
				ctx.SetBodyString(test.answer)
			}}
			c := dial(t, r.start(t), nil)
			for range n {
				must(t, c.SendText(background(t), "x"))
			}
			close(queued)
			must(t, c.Close())
			got, posts := 0, 0
			for _, request := range r.log() {
				if body, ok := strings.CutPrefix(request, "POST "); ok {
					packets := strings.Count(body, "\x1e") + 1
					got += packets
					posts++
					if packets > test.most {
						t.Errorf("a POST of %d packets", packets)
					}
				}
			}
			// The first POST may have left with less than it could have, and the close packet may come alone.
			if got != n+1 || posts > test.posts+2 {
				t.Errorf("%d packets in %d POSTs, want %d in %d", got, posts, n+1, test.posts)
			}
		})
	}
}
