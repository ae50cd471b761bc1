package main

import (
	"sync"
	"sync/atomic"
	"time"
)

// connectRun opens sessions and closes them again, as many at once as there are clients. The delay
// is that of the handshake, for an upgrade up to its last packet; closing is not in it.
func connectRun(o *options, m *meter) error {
	m.what = "handshakes"
	d := &dialer{host: o.host, sources: o.sources, timeout: o.timeout}
	var stop atomic.Bool
	var wg sync.WaitGroup
	for i := range o.clients {
		wg.Go(func() {
			for !stop.Load() {
				if err := handshake(d, o, m, i); err != nil {
					m.fault(i, err)
					time.Sleep(10 * time.Millisecond) // do not hammer a server that refuses
				}
			}
		})
	}
	err := m.measure(nil)
	stop.Store(true)
	wg.Wait()
	return err
}

func handshake(d *dialer, o *options, m *meter, client int) error {
	began := now()
	s, err := d.open(o)
	if err != nil {
		return err
	}
	done := now()
	m.record(client, done, done-began, 1)
	return s.goodbye(o.timeout)
}
