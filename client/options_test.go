package client_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/fasteio/engineio/client"
)

func TestBadArguments(t *testing.T) {
	for url, o := range map[string]*client.Options{
		"://":             nil,
		"ftp://host":      nil,
		"http://":         nil,
		"http://a#1":      {Revision: 5},
		"http://a#2":      {Transports: []client.Transport{3}},
		"http://a#3":      {ReadLimit: -1},
		"http://a#4":      {Header: http.Header{"Upgrade": {"x"}}},
		"http://a#5":      {Reconnect: &client.ReconnectOptions{Backoff: time.Hour}},
		"http://a#6":      {Reconnect: &client.ReconnectOptions{Jitter: 2}},
		"http://a:port/7": nil,
	} {
		if _, err := client.Dial(background(t), url, o); err == nil {
			t.Errorf("%s %+v is accepted", url, o)
		}
	}
}

// SendJSON sends what Options.MarshalJSON makes of a value, copied, and returns its error.
func TestMarshalJSON(t *testing.T) {
	url, _, _ := serve(t, echo)
	failed := errors.New("not this")
	var reused []byte
	c := dial(t, url, &client.Options{MarshalJSON: func(v any) ([]byte, error) {
		if v == nil {
			return nil, failed
		}
		reused = append(reused[:0], v.(string)...)
		return reused, nil
	}})
	for _, s := range []string{"one", "two"} {
		must(t, c.SendJSON(context.Background(), s))
	}
	wantText(t, c, "one")
	wantText(t, c, "two")
	if err := c.SendJSON(context.Background(), nil); err != failed {
		t.Errorf("got %v, want the error of MarshalJSON", err)
	}
}

func TestRevision(t *testing.T) {
	url, _, _ := serve(t, echo)
	for _, want := range []client.Revision{client.V3, client.V4} {
		if got := dial(t, url, &client.Options{Revision: want}).Revision(); got != want {
			t.Errorf("got %d, want %d", got, want)
		}
	}
	if got := dial(t, url, nil).Revision(); got != client.V4 {
		t.Errorf("got %d by default", got)
	}
}
