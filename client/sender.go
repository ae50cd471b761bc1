package client

import "github.com/fasteio/engineio/codec"

// startSender makes sure that a goroutine sends what there is to send.
func (s *session) startSender() {
	if s.c.out.claim(s) {
		go s.sendQueued()
	}
}

// sendQueued sends until there is nothing more. The caller has claimed the outbox.
func (s *session) sendQueued() {
	defer s.tasks.Done()
	for s.sendBatch() {
	}
}

func (s *session) sendBatch() (more bool) {
	s.writing.Lock() // held from take to finished: an upgrade comes before a batch or after it
	defer s.writing.Unlock()
	limit, size, send := s.maxPost(), s.postSize, s.post
	if s.ws != nil {
		limit, size, send = maxWrite, messageSize, s.writeCorked
	}
	b, ok := s.c.out.take(limit, size)
	if !ok {
		return false
	}
	if b.closes {
		s.closing.Store(true)
	}
	err := send(b)
	if err != nil {
		s.closing.Store(false)
		s.endFor(err)
		err = s.closeError()
	}
	s.c.out.finished(b, err)
	if err == nil && b.closes && s.ws == nil {
		s.end(ReasonClientClose, nil) // by WebSocket the server's close frame comes first
	}
	return err == nil && !b.closes
}

// maxWrite is how many bytes of messages are written to a WebSocket at once. Room is made as they leave.
const maxWrite = 64 << 10

func messageSize(p codec.Packet) int { return len(p.Data) }

// maxPost is how many bytes of messages are sent by one POST. Servers that do not announce maxPayload take a megabyte.
func (s *session) maxPost() int {
	if s.maxPayload == 0 {
		return 1_000_000
	}
	return s.maxPayload
}

// postSize is what a packet takes of maxPost. python-engineio drops a POST of more than 16 packets, and
// answers OK as if it had not: a close packet and 15 others fill one, until a server has answered ok, as the
// reference does and all that follow it.
func (s *session) postSize(p codec.Packet) int {
	n := payloadSize(s.c.o.Revision, p)
	if !s.manyPackets {
		n = max(n, s.maxPost()/16+1)
	}
	return n
}
