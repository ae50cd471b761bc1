package engineio_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A message for one client never reaches another. With MaxConnsPerIP fasthttp wraps its connections and
// gives the wrapper of one that has ended to the next that is accepted, so whatever still writes to a
// connection when its hijack handler returns writes to a stranger.
func TestNoMessageReachesAStranger(t *testing.T) {
	for name, o := range map[string]enginetest.Options{
		"plain": {MaxConnsPerIP: 10_000},
		"TLS":   {MaxConnsPerIP: 10_000, TLS: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			churn(t, serve(t, onFasthttp, engineio.Config{CloseTimeout: time.Second, MaxQueuedBytes: 20_000}, o))
		})
	}
}

// churn lets clients come and go while senders never stop.
func churn(t *testing.T, e *engine) {
	const lines, guests = 10, 20 // so many at once, so many after each other
	stop := make(chan struct{})
	var senders, clients sync.WaitGroup
	for range 2 {
		senders.Go(func() { addressEveryone(e, stop) })
	}
	failures := make(chan error, lines)
	for range lines {
		clients.Go(func() {
			for range guests {
				if err := visit(e.http); err != nil {
					failures <- err
					return
				}
			}
		})
	}
	clients.Wait()
	close(stop)
	senders.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
}

// letter is a message for one session: nothing but its id, many times.
func letter(id string, n int) string { return strings.Repeat(id+" ", n) }

// addressEveryone sends every session letters of its own until it is stopped. Large prepared ones leave in a
// write each where the connection is wrapped, which makes for many moments at which a client may go.
func addressEveryone(e *engine, stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-time.After(100 * time.Microsecond): // leaves the clients a share of the machine
		}
		for s := range e.Sessions() {
			_ = s.SendText(letter(s.ID(), 1+i%50)) // a full queue is no reason to stop
			large := engineio.PrepareText(letter(s.ID(), 60))
			for range 5 {
				_ = s.SendPrepared(large)
			}
		}
	}
}

// visit connects in some way, checks some letters and leaves in some way.
func visit(server *enginetest.Server) error {
	c, err := enginetest.Dial(server, enginetest.Setup{
		Way:      enginetest.Ways[rand.IntN(3)],
		Revision: enginetest.Revisions[rand.IntN(2)],
	})
	if err != nil {
		return err
	}
	defer c.Close()
	id := c.Handshake().SID
	for range rand.IntN(20) {
		p, err := enginetest.Next(c)
		if err != nil {
			return fmt.Errorf("client %s: %w", id, err)
		}
		if text := string(p.Data); text != letter(id, len(text)/(len(id)+1)) {
			return fmt.Errorf("client %s reads %v %.100q", id, p.Type, p.Data)
		}
	}
	leave(c)
	return nil
}

// leave is any of the ways in which clients go, those that the server notices at once.
func leave(c enginetest.Client) {
	w, ok := c.(*enginetest.WebSocket)
	if !ok {
		p := c.(*enginetest.Polling)
		_ = p.Get.Write(enginetest.Request("GET", p.URI(), "localhost", nil)) // to be aborted
	}
	switch how := rand.IntN(5); {
	case how == 0:
		_ = c.Send(codec.Packet{Type: codec.Close})
	case how == 1:
		c.Reset()
	case how == 2 && ok:
		enginetest.HalfClose(w.Conn.NetConn())
	case how == 3 && ok:
		_ = w.Conn.WriteControl(8, nil, time.Time{})
		_ = w.CloseCode()
	}
}
