package client_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/fasteio/engineio/client"
)

func TestRememberUpgrade(t *testing.T) {
	url, l, _ := serve(t, echo)
	o := &client.Options{RememberUpgrade: true}
	c := dial(t, url, o)
	if got := c.Transport(); got != client.Polling {
		// the upgrade may be over already
		upgraded(t, c, client.WebSocket)
	}
	upgraded(t, c, client.WebSocket)
	for range 3 {
		if got := dial(t, url, o).Transport(); got != client.WebSocket {
			t.Errorf("opened with %v", got)
		}
	}
	l.hangUp()
	if got := dial(t, url, &client.Options{DisableUpgrades: true}); got.Transport() != client.Polling {
		t.Errorf("opened with %v though nobody asked to remember", got.Transport())
	}
}

// One that begins by WebSocket anyway is refused once.
func TestRememberUpgradeOfWebSocketFirst(t *testing.T) {
	handshakes := 0
	url, _, srv := serve(t, echo)
	o := &client.Options{Transports: []client.Transport{client.Polling, client.WebSocket}, RememberUpgrade: true}
	c := dial(t, url, o)
	if _, err := c.AwaitUpgrade(background(t)); err != nil {
		t.Fatal(err)
	}
	c.CloseNow()
	must(t, srv.Drain(background(t), 0))
	o.Transports, o.HeaderFunc = websocket, func(context.Context, http.Header) error { handshakes++; return nil }
	if _, err := client.Dial(background(t), url, o); err == nil || handshakes != 1 {
		t.Errorf("%d handshakes: %v", handshakes, err)
	}
}
