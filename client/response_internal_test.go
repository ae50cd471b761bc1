package client

import (
	"net/http"
	"strings"
	"testing"
)

func TestRefused(t *testing.T) {
	for body, want := range map[string]ResponseError{
		`{"code":4,"message":"Forbidden"}`:     {Code: 4, Message: "Forbidden"},
		`{"code":"0","message":"unknown"}`:     {Code: 0, Message: "unknown"}, // a server in Rust
		`{"message":"no code"}`:                {Code: -1, Message: "no code"},
		`{"code":{},"message":3}`:              {Code: -1, Message: `{"code":{},"message":3}`},
		`"Invalid session"`:                    {Code: -1, Message: "Invalid session"}, // python
		"<h1>Bad gateway</h1>\n":               {Code: -1, Message: "<h1>Bad gateway</h1>"},
		"":                                     {Code: -1},
		"\xff":                                 {Code: -1, Message: "\ufffd"},
		strings.Repeat("x", 100_000):           {Code: -1, Message: strings.Repeat("x", 1024)},
		`{"code":1,"message":"","context":{}}`: {Code: 1},
	} {
		want.Status = 400
		if got := parseRefusal(400, http.Header{}.Get, []byte(body)); *got != want {
			t.Errorf("%.60q gives %+v, want %+v", body, *got, want)
		}
	}
}
