package client

import (
	"strings"
	"testing"
)

// The heartbeat does not go by the wall clock, which may be set meanwhile.
func TestHeartbeatOfNoWallClock(t *testing.T) {
	s := (&Client{alive: t.Context()}).newSession()
	s.noteActivity()
	if by := s.silenceDeadline().String(); !strings.Contains(by, " m=") {
		t.Errorf("the server is silent by %s, without a monotonic clock", by)
	}
}
