package main

import (
	"testing"
)

func TestResponses(t *testing.T) {
	for name, c := range map[string]struct{ script, want string }{
		"length":  {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello", "hello"},
		"case":    {"HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\nhello", "hello"},
		"empty":   {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
		"chunked": {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n", "hello"},
	} {
		for _, n := range []int{1, 7, 1000} {
			// Two in a row: the first must take exactly what belongs to it.
			w := newWire(&scripted{script: []byte(c.script + c.script), n: n}, 0)
			for range 2 {
				if body, err := w.response(200); err != nil || string(body) != c.want {
					t.Errorf("%s in pieces of %d: got %q, %v", name, n, body, err)
				}
			}
		}
	}
}

func TestResponsesThatAreErrors(t *testing.T) {
	for name, script := range map[string]string{
		"status":      "HTTP/1.1 400 Bad Request\r\nContent-Length: 3\r\n\r\nbad",
		"no HTTP":     "220 smtp.example.com ESMTP\r\n\r\n",
		"length":      "HTTP/1.1 200 OK\r\nContent-Length: five\r\n\r\n",
		"cut":         "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
		"chunk":       "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"empty input": "",
	} {
		w := newWire(&scripted{script: []byte(script), n: 100}, 0)
		if body, err := w.response(200); err == nil {
			t.Errorf("%s: got %q", name, body)
		}
	}
}
