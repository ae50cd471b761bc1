package engineio_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// Two hundred clients upgrade at random moments under a sender that never stops. Every message arrives
// once and in order.
func TestUpgradesUnderFire(t *testing.T) {
	t.Parallel()
	const clients, after = 200, 50
	e := serve(t, onFasthttp, engineio.Config{})
	stop := make(chan struct{})
	var senders, receivers sync.WaitGroup
	senders.Go(func() { fire(e, stop) })
	failures := make(chan error, clients)
	for i := range clients {
		receivers.Go(func() {
			if err := upgradeUnderFire(e.http, enginetest.Revisions[i%2], after); err != nil {
				failures <- fmt.Errorf("client %d: %w", i, err)
			}
		})
	}
	receivers.Wait()
	close(stop)
	senders.Wait()
	close(failures)
	for err := range failures {
		t.Error(err)
	}
}

var fired = engineio.NewKey[int]("messages sent")

// fire sends every session its numbers, 0 and up, until it is stopped.
func fire(e *engine, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(200 * time.Microsecond): // leaves the clients a share of the machine
		}
		for s := range e.Sessions() {
			n, _ := fired.Get(s)
			for range 3 {
				if s.SendText(strconv.Itoa(n)) != nil {
					break
				}
				n++
			}
			fired.Set(s, n)
		}
	}
}

func upgradeUnderFire(server *enginetest.Server, revision engineio.Revision, after int) error {
	p, err := server.DialPolling(enginetest.Setup{Revision: revision})
	if err != nil {
		return err
	}
	n := 0
	for range rand.IntN(40) {
		if err := nextNumber(p, &n); err != nil {
			p.Close()
			return err
		}
	}
	time.Sleep(rand.N(20 * time.Millisecond))
	w, err := p.Upgrade()
	if err != nil {
		return err
	}
	defer w.Close()
	for target := n + after; n < target; {
		if err := nextNumber(w, &n); err != nil {
			return err
		}
	}
	return nil
}

func nextNumber(c enginetest.Client, n *int) error {
	p, err := enginetest.Next(c)
	if err != nil {
		return err
	}
	if string(p.Data) != strconv.Itoa(*n) {
		return fmt.Errorf("%v %q, want %d", p.Type, p.Data, *n)
	}
	*n++
	return nil
}

// Both directions at once while the client changes its transport: what it posts and what it sends by
// WebSocket arrives in order as well.
func TestEchoAcrossUpgrade(t *testing.T) {
	eachRevision(t, engineio.Config{}, func(t *testing.T, e *engine, p *enginetest.Polling) {
		const n = 100
		for i := range n {
			if err := p.Send(numbered(i)); err != nil {
				t.Fatal(err)
			}
		}
		w := upgrade(t, p)
		for i := range n {
			if err := w.Send(numbered(n + i)); err != nil {
				t.Fatal(err)
			}
		}
		for i := range 2 * n {
			expect(t, w, numbered(i))
		}
	})
}
