package client_test

import (
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/client"
)

func TestPaths(t *testing.T) {
	for url, test := range map[string]struct {
		o    client.Options
		want string
	}{
		"":                    {client.Options{}, "/engine.io/"},
		"/":                   {client.Options{}, "/engine.io/"},
		"/engine.io":          {client.Options{}, "/engine.io/"},
		"/a%2Fb/%C3%A4":       {client.Options{}, "/a%2Fb/%C3%A4/"},
		"/exact":              {client.Options{ExactPath: true}, "/exact"},
		"/x":                  {client.Options{Path: "own"}, "/own/"},
		"//double//slash/../": {client.Options{ExactPath: true}, "//double//slash/../"},
	} {
		var got string
		l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
			got, _, _ = strings.Cut(string(ctx.Request.Header.RequestURI()), "?")
			ctx.Error("", 500)
		})
		_, _ = client.Dial(background(t), "http://"+l.Addr().String()+url, &test.o)
		if got != test.want {
			t.Errorf("%q asks for %q, want %q", url, got, test.want)
		}
	}
}
