package main

import (
	"sync"
	"sync/atomic"
)

// atOnce is how many sessions are being opened at a time.
const atOnce = 64

// openAll opens a session for every client, some at a time. A session that cannot be had is a
// fault, and nil.
func openAll(o *options, m *meter) []*session {
	d := &dialer{host: o.host, sources: o.sources, timeout: o.timeout}
	sessions := make([]*session, o.clients)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(atOnce, o.clients) {
		wg.Go(func() {
			for i := next.Add(1) - 1; i < int64(o.clients); i = next.Add(1) - 1 {
				s, err := d.open(o)
				if err == nil && o.laps() {
					err = s.openPost(d)
				}
				if err != nil {
					m.fault(int(i), err)
					continue
				}
				if o.revision == 3 {
					go s.beat(d)
				}
				sessions[i] = s
			}
		})
	}
	wg.Wait()
	return sessions
}
