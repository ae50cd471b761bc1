package client

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/fasteio/engineio/codec"
)

// Which revision a server speaks. A long-polling handshake tells, since the revisions write payloads
// differently. A WebSocket handshake looks the same in both, and nothing can be asked: the only packet that a server of
// revision 3 answers is a ping, for which one of revision 4 ends the session. There maxPayload tells, which
// servers of revision 3 alone do not send, and the side that pings: in revision 4 the server, after pingInterval.

var errNoPing = errors.New("no ping came within pingInterval, as from a server of revision 3 (Options.Revision is 4)")

// wrongRevision is the ErrRevision for a server that speaks theirs.
func wrongRevision(theirs, ours Revision) error {
	return fmt.Errorf("%w: it speaks revision %d, Options.Revision is %d", ErrRevision, theirs, ours)
}

// otherRevision is an ErrRevision if body, a response to long-polling, opens a session in another revision than ours (Options.Revision), otherwise nil.
func otherRevision(ours Revision, body []byte) error {
	for _, as := range []struct {
		format   codec.Format
		revision Revision
	}{{codec.Text4, V4}, {codec.Text3, V3}, {codec.Binary3, V3}} {
		if as.revision == ours {
			continue
		}
		packets := as.format.Decode(body)
		p, err := packets.Next()
		if err == nil && p.Type == codec.Open && bytes.HasPrefix(p.Data, []byte("{")) {
			return wrongRevision(as.revision, ours)
		}
	}
	return nil
}

// noteRevision notes that only a server of revision r does what this one has done. The first proof counts.
func (s *session) noteRevision(r Revision) {
	if s.serverRevision.CompareAndSwap(0, uint32(r)) && r != s.c.o.Revision {
		s.warnRevision()
	}
}

// revisionUnknown reports whether a session of revision 4 may be with a server of revision 3.
func (s *session) revisionUnknown() bool { return s.c.o.Revision == V4 && s.serverRevision.Load() == 0 }

// firstPingDue is when the first ping of a server of revision 4 is overdue.
func (s *session) firstPingDue() time.Time { return s.openedAt.Add(s.interval + s.timeout/4) }

// checkFirstMessage looks at the first message of a server: those of Socket.IO 1 and 2 begin with "0", those of
// revision 4 do not before the client has. An application of its own may, so it is no proof.
func (s *session) checkFirstMessage(p codec.Packet) {
	if !s.messageReceived && s.revisionUnknown() && !p.Binary && string(p.Data) == "0" {
		s.warnRevision()
	}
	s.messageReceived = true
}

func (s *session) warnRevision() {
	if !s.warned.Swap(true) {
		s.c.o.Logger.Warn("client: the server seems to speak another revision of the protocol, see Options.Revision",
			"url", s.target.url.String(), "sid", s.id, "revision", s.c.o.Revision)
	}
}

// explainByRevision adds to what ended a session that the server speaks another revision, if it looks like that.
func (s *session) explainByRevision(err error) error {
	switch theirs := Revision(s.serverRevision.Load()); {
	case s.id == "" || theirs == s.c.o.Revision:
		return err
	case theirs != 0:
		return join(wrongRevision(theirs, s.c.o.Revision), err)
	case s.revisionUnknown() && time.Now().After(s.firstPingDue()):
		return join(errNoPing, err)
	}
	return err
}

// join is errors.Join in one line.
func join(first, second error) error {
	if second == nil {
		return first
	}
	return fmt.Errorf("%w: %w", first, second)
}
