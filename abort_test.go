package engineio_test

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// offering is a connection as a listener for the PROXY protocol makes it.
type offering struct{ anyConn }

type anyConn interface{ net.Conn }

func (o *offering) Raw() net.Conn { return o.anyConn }

func offered(c net.Conn) net.Conn { return &offering{c} }

// A client that gives up its poll has left, however it does so and whatever the server is like.
func TestAbortedPoll(t *testing.T) {
	leave := map[string]func(*enginetest.HTTP){
		"FIN":        (*enginetest.HTTP).Close, // close_notify first, with TLS
		"RST":        (*enginetest.HTTP).Reset,
		"half close": (*enginetest.HTTP).HalfClose,
		"FIN behind a request": func(h *enginetest.HTTP) {
			_ = h.Write([]byte("GET / HTTP/1.1\r\n"))
			h.Close()
		},
	}
	for server, o := range map[string]enginetest.Options{
		"plain":         {},
		"TLS":           {TLS: true},
		"per IP":        {MaxConnsPerIP: 1000},
		"TLS, per IP":   {TLS: true, MaxConnsPerIP: 1000},
		"wrapped":       {Wrap: offered},
		"TLS, wrapped":  {Wrap: offered, TLS: true, MaxConnsPerIP: 1000},
		"little memory": {ReduceMemoryUsage: true, ReadTimeout: enginetest.Patience, IdleTimeout: enginetest.Patience},
	} {
		t.Run(server, func(t *testing.T) {
			eachStack(t, func(t *testing.T, on stack) {
				e := serve(t, on, engineio.Config{}, o)
				check := e.bystander(t)
				for how, leave := range leave {
					for _, revision := range enginetest.Revisions {
						p := e.polling(t, enginetest.Setup{Revision: revision})
						alive(t, p)
						if err := p.Get.Write(enginetest.Request("GET", p.URI(), "localhost", nil)); err != nil {
							t.Fatal(err)
						}
						leave(p.Get)
						if end := e.ended(t, engineio.ReasonTransportClose); end.err == nil {
							t.Errorf("%s: no error behind the reason", how)
						}
						goneByPost(t, p)
					}
				}
				check()
			})
		})
	}
}

// A poll that ends between two requests is no abort: clients open connections as they like.
func TestConnectionBetweenPolls(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		p := e.polling(t, enginetest.Setup{})
		for range 5 {
			p.Get.Close()
			p.Get = e.http.HTTP()
			alive(t, p)
			p.Post.Reset()
			p.Post = e.http.HTTP()
			alive(t, p)
		}
	})
}

// Timeouts of the HTTP server are for requests, not for the wait of a poll, and come back after it.
func TestTimeoutsOfTheServer(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		const timeout = 150 * time.Millisecond
		config := engineio.Config{PingInterval: 3 * timeout, PingTimeout: enginetest.Patience}
		e := serve(t, on, config, enginetest.Options{ReadTimeout: timeout, IdleTimeout: timeout})
		p := e.polling(t, enginetest.Setup{})
		packets, err := p.Poll() // waits for the ping
		if err != nil || len(packets) != 1 || packets[0].Type != '2' {
			t.Fatalf("%v, %v", packets, err)
		}
		c, err := p.Get.Conn()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Read(make([]byte, 1)); err == nil {
			t.Error("the idle connection got an answer")
		} else if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error("IdleTimeout is lost after a poll")
		}
		p.Get.Close()
	})
}
