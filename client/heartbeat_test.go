package client_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fasteio/engineio/client"
)

func TestSilentServer(t *testing.T) {
	inEachMode(t, func(t *testing.T, m mode) {
		synctest.Test(t, func(t *testing.T) {
			p := &pipes{}
			start := time.Now()
			o := m.options()
			o.DialContext = p.dial
			o.Logger = quiet
			c, err := client.Dial(t.Context(), "http://127.0.0.1/", o)
			must(t, err)
			<-c.Context().Done()
			if got := time.Since(start); got != 45*time.Second {
				t.Errorf("noticed after %v, want 45s", got)
			}
			var why *client.CloseError
			if !errors.As(context.Cause(c.Context()), &why) || why.Reason != client.ReasonPingTimeout {
				t.Errorf("ended with %v", context.Cause(c.Context()))
			}
			p.tasks.Wait()
			want := ""
			if m.revision == client.V3 {
				want = "2"
				if m.transports[0] == client.Polling {
					want = "1:2"
				}
			}
			if got := strings.Join(p.heard, " "); got != want {
				t.Errorf("the server heard %q, want %q", got, want)
			}
		})
	})
}
