package engineio

import "github.com/fasteio/engineio/codec"

// The upgrade, from the client's WebSocket handshake on. Until the 5 the session lives on
// long-polling, heartbeat and all, and a probe that fails leaves it there.
//
//	client                       server
//	  |  WebSocket handshake -->   |  beginUpgrade
//	  |  2probe --------------->   |  probe: a parked GET is answered 6
//	  |  <--------------- 3probe   |
//	  |  (its GET is answered)     |  a GET that comes now is answered 6 after noopDelay
//	  |  5 -------------------->   |  completeUpgrade: the outbox changes its holder
//	  |  <----------- everything   |

// probeData is what a probe carries, there and back.
const probeData = "probe"

// beginUpgrade reserves the session for one WebSocket that wants to take over. It fails when the
// session is on WebSocket, is not open, or has a probe under way.
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

// cancelUpgrade ends the probe of w, if it has the session reserved. The session stays on long-polling.
func (s *Session) cancelUpgrade(w *webSocket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probing == w {
		s.probing = nil
		s.probed.Store(false)
	}
}

// probe records that the WebSocket works, and answers a parked GET.
func (s *Session) probe(w *webSocket) {
	s.mu.Lock()
	ours := s.probing == w
	if ours {
		s.probed.Store(true)
	}
	s.mu.Unlock()
	if ours {
		s.poll.answerNoop()
	}
}

// completeUpgrade moves the session to w. It fails when the session has ended, and when w no longer has it
// reserved.
func (s *Session) completeUpgrade(w *webSocket) bool {
	s.mu.Lock()
	ours := s.probing == w
	if ours {
		s.probeBy = s.srv.now() + s.srv.config.UpgradeTimeout // no other WebSocket takes the place of w from here on
	}
	s.mu.Unlock()
	if !ours || !s.out.transfer(s.poll, w, w.base64, w.deflate) {
		return false
	}
	s.transport.Store(uint32(WebSocket))
	s.cancelUpgrade(w)
	s.servedBy(w.http, WebSocket)
	s.poll.upgraded()
	return true
}

// runOnUpgrade runs OnUpgrade. With concurrent OnMessage it may overlap them: one of them may wait for a message that
// comes by the WebSocket, from which nothing is read before OnUpgrade returns.
func (s *Session) runOnUpgrade() {
	if s.srv.debugging() {
		s.srv.config.Logger.Debug("engineio: session upgraded", "sid", s.id, "remote", s.remote)
	}
	f := s.srv.config.OnUpgrade
	if f == nil || !s.rlockCallbacks() {
		return
	}
	defer s.runlockCallbacks(onUpgrade)
	s.setCurrentCallback(onUpgrade)
	f(s)
}

func isProbe(p codec.Packet) bool {
	return p.Type == codec.Ping && string(p.Data) == probeData
}
