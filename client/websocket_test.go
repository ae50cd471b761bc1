package client_test

import (
	"bytes"
	"testing"

	gorilla "github.com/fasthttp/websocket"

	"github.com/fasteio/engineio/client"
)

func TestWebSocketLimits(t *testing.T) {
	for name, size := range map[string]int{"plain": 0, "deflated": 1} {
		t.Run(name, func(t *testing.T) {
			code := make(chan int, 1)
			url := webSocket(t, size == 1, func(ws *gorilla.Conn) {
				ws.EnableWriteCompression(size == 1)
				_ = ws.WriteMessage(gorilla.TextMessage, append([]byte("4"), bytes.Repeat([]byte("x"), 90_000)...))
				_ = ws.WriteMessage(gorilla.TextMessage, append([]byte("4"), bytes.Repeat([]byte("x"), 200_000)...))
				code <- drain(ws)
			})
			c := dial(t, url, &client.Options{Transports: websocket, ReadLimit: 100_000, PerMessageDeflate: true})
			if m := read(t, c); len(m.Data) != 90_000 {
				t.Errorf("%d bytes", len(m.Data))
			}
			wantReason(t, c, client.ReasonTooBig)
			if got := <-code; got != 1009 {
				t.Errorf("the server was told %d, want 1009", got)
			}
		})
	}
}

func TestWebSocketEnds(t *testing.T) {
	for name, test := range map[string]struct {
		f    func(ws *gorilla.Conn)
		want client.Reason
	}{
		"close packet": {func(ws *gorilla.Conn) { _ = ws.WriteMessage(gorilla.TextMessage, []byte("1")); drain(ws) }, client.ReasonServerClose},
		"close frame": {func(ws *gorilla.Conn) {
			_ = ws.WriteMessage(gorilla.CloseMessage, nil)
			drain(ws)
		}, client.ReasonServerClose},
		"1009": {func(ws *gorilla.Conn) {
			_ = ws.WriteMessage(gorilla.CloseMessage, gorilla.FormatCloseMessage(1009, ""))
		}, client.ReasonTooBig},
		"hang up":   {func(ws *gorilla.Conn) {}, client.ReasonTransportClose},
		"no packet": {func(ws *gorilla.Conn) { _ = ws.WriteMessage(gorilla.TextMessage, []byte("x")); drain(ws) }, client.ReasonParseError},
		"bad frame": {func(ws *gorilla.Conn) { _, _ = ws.NetConn().Write([]byte{0xff, 0xff, 0xff, 0xff}); drain(ws) }, client.ReasonTransportError},
	} {
		t.Run(name, func(t *testing.T) {
			wantReason(t, dial(t, webSocket(t, false, test.f), &client.Options{Transports: websocket}), test.want)
		})
	}
}

func TestWebSocketDeflate(t *testing.T) {
	got := make(chan string, 2)
	url := webSocket(t, true, func(ws *gorilla.Conn) {
		for range 2 {
			_, message, _ := ws.ReadMessage()
			got <- string(message)
			_ = ws.WriteMessage(gorilla.TextMessage, message)
		}
		drain(ws)
	})
	c := dial(t, url, &client.Options{Transports: websocket, PerMessageDeflate: true})
	for _, text := range []string{"short", string(bytes.Repeat([]byte("long "), 150))} {
		must(t, c.SendText(background(t), text))
		if m := <-got; m != "4"+text {
			t.Errorf("the server got %.60q", m)
		}
		wantText(t, c, text)
	}
}
