package engineio

import (
	"errors"
	"fmt"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
)

// payloadOf is n packets as the body of a POST.
func payloadOf(format codec.Format, n int, kind func(i int) codec.Packet) (body []byte) {
	for i := range n {
		body = format.Append(body, kind(i))
	}
	return body
}

// postBody is a POST of a type.
func postBody(s *Session, body []byte, contentType string) (status int, answer string) {
	ctx := new(fasthttp.RequestCtx)
	ctx.Request.Header.SetMethod("POST")
	ctx.Request.Header.SetContentType(contentType)
	ctx.Request.SetBody(body)
	s.poll.serve(ctx, nil)
	return ctx.Response.StatusCode(), string(ctx.Response.Body())
}

func TestMaxPackets(t *testing.T) {
	const most = 5
	for _, c := range []struct {
		format      codec.Format
		rev         Revision
		contentType string
	}{
		{codec.Text4, V4, "text/plain;charset=UTF-8"},
		{codec.Text3, V3, "text/plain;charset=UTF-8"},
		{codec.Binary3, V3, "application/octet-stream"},
	} {
		for n := 1; n <= 2*most; n++ {
			t.Run(fmt.Sprintf("%v/%d", c.format, n), func(t *testing.T) {
				got := 0
				srv := newTestServer(Config{MaxPackets: most, OnMessage: func(_ *Session, m Message) {
					if string(m.Data) != fmt.Sprint(got) {
						t.Errorf("message %d is %q", got, m.Data)
					}
					got++
				}})
				defer shut(srv)
				s := openPolling(t, srv, c.rev)
				body := payloadOf(c.format, n, func(i int) codec.Packet { return text(fmt.Sprint(i)) })
				if status, answer := postBody(s, body, c.contentType); status != 200 || answer != "ok" {
					t.Errorf("answered %d %q", status, answer)
				}
				if got != min(n, most) {
					t.Errorf("%d messages came, want %d", got, min(n, most))
				}
				if n <= most {
					if s.over.Load() {
						t.Errorf("the session has ended with %v", reasonOf(t, s))
					}
					return
				}
				if reasonOf(t, s) != ReasonTooBig || !errors.Is(s.err, errTooMany) {
					t.Errorf("ended with %v, %v", reasonOf(t, s), s.err)
				}
				if status, _ := post(s, "4late"); status != 400 {
					t.Errorf("a POST after the end is answered %d", status)
				}
			})
		}
	}
}

// Every packet counts, and the bound is of one body.
func TestMaxPacketsCountsAll(t *testing.T) {
	srv := newTestServer(Config{MaxPackets: 3})
	defer shut(srv)
	s := openPolling(t, srv, V4)
	for range 10 {
		post(s, "3\x1e4message\x1e6")
	}
	if s.over.Load() {
		t.Fatalf("ten bodies of three packets ended the session with %v", reasonOf(t, s))
	}
	post(s, "6\x1e6\x1e3\x1e6")
	if r := reasonOf(t, s); r != ReasonTooBig {
		t.Errorf("four packets that are no messages: %v", r)
	}
}

// What is no packet is that, up to the bound, and nobody looks beyond it.
func TestMaxPacketsAndGarbage(t *testing.T) {
	for body, want := range map[string]Reason{
		"4a\x1e4b\x1ex":     ReasonParseError,
		"4a\x1ex\x1e4b":     ReasonParseError,
		"4a\x1e4b\x1e4\xff": ReasonParseError,
		"4a\x1e4b\x1e1":     ReasonTooBig,
		"4a\x1e1\x1e4b":     ReasonClientClose,
	} {
		srv := newTestServer(Config{MaxPackets: 2})
		s := openPolling(t, srv, V4)
		post(s, body)
		if r := reasonOf(t, s); r != want {
			t.Errorf("%q: %v, want %v", body, r, want)
		}
		shut(srv)
	}
}
