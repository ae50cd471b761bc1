//go:build !race

package conncheck

import "testing"

func TestNoAllocs(t *testing.T) {
	server, _ := tcpPair(t)
	var p Poll
	kick, kicked := make(chan struct{}), make(chan struct{})
	defer close(kick)
	go func() {
		for range kick {
			p.Wake()
			kicked <- struct{}{}
		}
	}()
	n := testing.AllocsPerRun(200, func() {
		p.Arm()
		kick <- struct{}{}
		if !p.Wait(server) || p.Gone(server) {
			t.Fatal("dead peer")
		}
		<-kicked
	})
	if n != 0 {
		t.Errorf("%v allocations per poll, want 0", n)
	}
}
