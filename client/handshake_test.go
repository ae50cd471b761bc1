package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

func TestRefusedHandshake(t *testing.T) {
	base, _, _ := serve(t, engineio.Config{OnHandshake: func(_ *engineio.Session, ctx *fasthttp.RequestCtx) error {
		if ctx.QueryArgs().Has("own") {
			return &engineio.RequestError{Status: 429, Code: 4, Message: "Come back later"}
		}
		return errors.New("no")
	}})
	v4, _, _ := serve(t, engineio.Config{Revisions: []engineio.Revision{engineio.V4}})
	for _, test := range []struct {
		url      string
		revision client.Revision
		want     client.ResponseError
	}{
		{base, 4, client.ResponseError{Status: 403, Code: 4, Message: "Forbidden"}},
		{base + "?own", 3, client.ResponseError{Status: 429, Code: 4, Message: "Come back later"}},
		{base + "/other/", 4, client.ResponseError{Status: 404, Code: -1, Message: "Not Found"}},
		{v4, 3, client.ResponseError{Status: 400, Code: 5, Message: "Unsupported protocol version"}},
	} {
		for _, transports := range [][]client.Transport{polling, websocket} {
			_, err := client.Dial(background(t), test.url, &client.Options{Transports: transports, Revision: test.revision})
			var refused *client.ResponseError
			if !errors.As(err, &refused) || refused.Status != test.want.Status || refused.Code != test.want.Code ||
				refused.Message != test.want.Message || errors.Is(err, client.ErrRevision) != (test.want.Code == 5) {
				t.Errorf("%s by %v: %v", test.url, transports, err)
			}
		}
	}
}

func TestBadHandshakes(t *testing.T) {
	for _, open := range []string{"", "1", "4x", "0", "0{", "0[]", `0{"sid":""}`, `0{"sid":1}`, openPacket + "\x1ex",
		`0{"sid":"` + strings.Repeat("x", 2000) + `"}`} {
		r := &raw{open: " ", handshake: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString(open) }}
		if c, err := client.Dial(background(t), r.start(t), &client.Options{Logger: quiet}); err == nil {
			c.CloseNow()
			t.Errorf("%.40q is accepted", open)
		}
	}
}

func TestTransportsInTurn(t *testing.T) {
	only := func(tr engineio.Transport) string {
		c := echo
		c.Transports = []engineio.Transport{tr}
		url, _, _ := serve(t, c)
		return url
	}
	for _, test := range []struct {
		url   string
		first []client.Transport
		want  client.Transport
	}{
		{only(engineio.Polling), []client.Transport{client.WebSocket, client.Polling}, client.Polling},
		{only(engineio.WebSocket), both, client.WebSocket},
	} {
		if _, err := client.Dial(background(t), test.url, &client.Options{Transports: test.first}); err == nil {
			t.Error("the next transport was tried without being asked to")
		}
		c := dial(t, test.url, &client.Options{Transports: test.first, TryAllTransports: true})
		upgraded(t, c, test.want)
	}
}
