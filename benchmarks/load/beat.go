package main

import "time"

// beat sends the pings of a revision 3 client until the session is dropped. On long-polling they
// take connections of their own, since the session's is taken by its polls.
func (s *session) beat(d *dialer) {
	tick := time.NewTicker(s.ping)
	defer tick.Stop()
	for {
		select {
		case <-s.dropped:
			return
		case <-tick.C:
		}
		if s.ws != nil {
			_, _ = s.ws.Write(appendFrame(nil, opText, []byte("2")))
			continue
		}
		w, err := d.connect(firstBuffer)
		if err != nil {
			continue // the server ends the session when too many are missing, which is a fault
		}
		if _, err := w.Write(s.o.post(s.sid, "2")); err == nil {
			_, _ = w.response(200)
		}
		w.Close()
	}
}
