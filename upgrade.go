package engineio

import "github.com/fasteio/engineio/codec"

// The upgrade, from the client's WebSocket handshake on. Until the 5 the session lives on
// long-polling, heartbeat and all, and a probe that fails leaves it there.
//
//	client                       server
//	  |  WebSocket handshake -->   |  beginUpgrade
//	  |  2probe --------------->   |  probe: a parked GET is answered 6
//	  |  <--------------- 3probe   |
//	  |  (its polls come home)     |  a GET that comes now is answered 6 after noopDelay
//	  |  5 -------------------->   |  completeUpgrade: the outbox changes hands
//	  |  <----------- everything   |

// probeData is what a probe carries, there and back.
const probeData = "probe"

// beginUpgrade reserves the session for one WebSocket that wants to take over. It fails when the
// session is on WebSocket, over, or has a probe under way.
func (s *Session) beginUpgrade(w *webSocket) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.srv.now()
	if s.state != stateOpen || s.Transport() != Polling || s.probing != nil && now < s.probeBy {
		return false
	}
	s.probing, s.probeBy = w, now+s.srv.config.UpgradeTimeout
	return true
}

// cancelUpgrade leaves the session as it was.
func (s *Session) cancelUpgrade(w *webSocket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probing == w {
		s.probing = nil
		s.probed.Store(false)
	}
}

// probe notes that the WebSocket works, and lets a parked GET go home.
func (s *Session) probe(w *webSocket) {
	s.mu.Lock()
	ours := s.probing == w
	if ours {
		s.probed.Store(true)
	}
	s.mu.Unlock()
	if ours {
		s.poll.release()
	}
}

// completeUpgrade hands the outbox to w. It fails when the session has begun to end, or when w has
// lost its right.
func (s *Session) completeUpgrade(w *webSocket) bool {
	s.mu.Lock()
	ours := s.probing == w
	if ours {
		s.probeBy = s.srv.now() + s.srv.config.UpgradeTimeout // nobody displaces w from here on
	}
	s.mu.Unlock()
	if !ours || !s.out.transfer(s.poll, w, w.base64, w.deflate) {
		return false
	}
	s.via.Store(uint32(WebSocket))
	s.cancelUpgrade(w)
	s.poll.wake() // a GET that should not be there finds the transport gone
	if s.poll.get.TryLock() {
		s.poll.endGet()
	}
	return true
}

// runOnUpgrade tells the application. It shares the turn where OnMessage does: nothing is read from the WebSocket before
// it returns, and an OnMessage may wait for what comes by it.
func (s *Session) runOnUpgrade() {
	if s.srv.debugging() {
		s.srv.config.Logger.Debug("engineio: session upgraded", "sid", s.id, "remote", s.remote)
	}
	f := s.srv.config.OnUpgrade
	if f == nil || !s.rlockCallbacks() {
		return
	}
	defer s.runlockCallbacks(onUpgrade)
	s.note(onUpgrade)
	f(s)
}

func isProbe(p codec.Packet) bool {
	return p.Type == codec.Ping && string(p.Data) == probeData
}
