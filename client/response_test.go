package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/client"
	"github.com/fasteio/engineio/internal/compress"
)

// Who has reached something else is told what it was.
func TestAnswersOfOtherServers(t *testing.T) {
	compressor, err := compress.New(compress.Options{})
	must(t, err)
	const page = "<!doctype html>\n<title>Welcome</title>"
	gzipped := string(compressor.Append(nil, []byte(page), compress.Gzip))
	for name, test := range map[string]struct {
		status             int
		kind, coding, body string
		want               []string
	}{
		"a page":             {200, "text/html", "", page, []string{"status 200", "text/html", "<!doctype html>"}},
		"a compressed page":  {200, "text/html", "gzip", gzipped, []string{"status 200", "text/html", "<!doctype html>"}},
		"JSON":               {200, "application/json", "", `{"ok":true}`, []string{"status 200", "application/json", `{\"ok\":true}`}},
		"nothing":            {200, "text/plain", "", "", []string{"status 200", "text/plain"}},
		"looks like packets": {200, "text/plain", "", "404 page not found", []string{"status 200", "404 page not found"}},
		"looks like base64":  {200, "text/plain", "", "bAAAAAAAAAAAA!", []string{"bAAAAAAAAAAAA!"}},
		"a gateway":          {502, "text/html", "", "<h1>Bad gateway</h1>", []string{"status 502", "text/html", "<h1>Bad gateway</h1>"}},
		"a strange coding":   {503, "text/html", "rot13", "hello", []string{"status 503", "text/html"}},
		"much":               {404, "text/html", "", strings.Repeat("x", 100_000), []string{"status 404", "xxx"}},
	} {
		for _, revision := range []client.Revision{client.V3, client.V4} {
			for _, transport := range both {
				if transport == client.WebSocket && test.coding != "" {
					continue // we ask for none there
				}
				l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
					ctx.SetStatusCode(test.status)
					ctx.SetContentType(test.kind)
					if test.coding != "" {
						ctx.Response.Header.Set("Content-Encoding", test.coding)
					}
					ctx.SetBodyString(test.body)
				})
				_, err := client.Dial(background(t), "http://"+l.Addr().String(),
					&client.Options{Revision: revision, Transports: []client.Transport{transport}})
				var refused *client.ResponseError
				if !errors.As(err, &refused) || refused.Status != test.status || refused.ContentType != test.kind || refused.Code != -1 {
					t.Errorf("%s by %v: %+v", name, transport, err)
					continue
				}
				for _, want := range test.want {
					if !strings.Contains(err.Error(), want) {
						t.Errorf("%s by %v: %q does not say %q", name, transport, err, want)
					}
				}
				if len(err.Error()) > 1000 {
					t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
				}
			}
		}
	}
}

// So is who had an Engine.IO server until something came in between.
func TestAnswersOfOtherServersInASession(t *testing.T) {
	r := &raw{get: func(ctx *fasthttp.RequestCtx) {
		ctx.SetContentType("text/html")
		ctx.SetBodyString("<title>Log in</title>")
	}}
	c := dial(t, r.start(t), nil)
	why := ended(t, c)
	if why.Reason != client.ReasonParseError || !strings.Contains(why.Error(), "text/html") || !strings.Contains(why.Error(), "<title>Log in") {
		t.Errorf("ended with %v", why)
	}
}
