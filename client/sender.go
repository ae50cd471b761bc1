package client

import "github.com/fasteio/engineio/codec"

// kick makes sure that somebody sends what there is to send.
func (s *session) kick() {
	if s.c.out.claim(s) {
		go s.flush()
	}
}

// flush sends until there is nothing more. The caller has claimed the outbox.
func (s *session) flush() {
	defer s.tasks.Done()
	for s.flushOnce() {
	}
}

func (s *session) flushOnce() (more bool) {
	s.writing.Lock() // held from take to settle: an upgrade comes before a batch or after it
	defer s.writing.Unlock()
	most, size, send := s.maxPost(), s.postSize, s.post
	if s.ws != nil {
		most, size, send = maxWrite, messageSize, s.write
	}
	b, ok := s.c.out.take(most, size)
	if !ok {
		return false
	}
	if b.last {
		s.leaving.Store(true)
	}
	err := send(b)
	if err != nil {
		s.leaving.Store(false)
		s.failed(err)
		err = s.why()
	}
	s.c.out.settle(b, err)
	if err == nil && b.last && s.ws == nil {
		s.fail(ReasonClientClose, nil) // by WebSocket the server's close frame comes first
	}
	return err == nil && !b.last
}

// maxWrite is how many bytes of messages are written to a WebSocket at once. Room is made as they leave.
const maxWrite = 64 << 10

func messageSize(p codec.Packet) int { return len(p.Data) }

// maxPost is how many bytes of messages are sent by one POST. Servers that do not tell take a megabyte.
func (s *session) maxPost() int {
	if s.maxPayload == 0 {
		return 1_000_000
	}
	return s.maxPayload
}

// postSize is what a packet takes of maxPost. python-engineio drops a POST of more than 16 packets, and
// answers OK as if it had not: goodbye and 15 others are a full one, until a server has answered ok, as the
// reference does and all that follow it.
func (s *session) postSize(p codec.Packet) int {
	n := payloadSize(s.c.o.Revision, p)
	if !s.anyNumber {
		n = max(n, s.maxPost()/16+1)
	}
	return n
}
