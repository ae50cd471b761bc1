package main

import (
	"encoding/binary"
	"fmt"
)

// stream reads a server's WebSocket messages. It belongs to one goroutine.
type stream struct {
	*wire
	parts   []byte // fragments of a message so far
	partial byte   // and its opcode, 0 for none
}

// next is the next message or control frame that has been read already; ok is false when there is
// none, and fill must be called. The payload is valid until then.
func (s *stream) next() (op byte, payload []byte, ok bool, err error) {
	for {
		b := s.unread()
		first, head, n, ok, err := header(b)
		if err != nil || !ok || len(b) < head+n {
			return 0, nil, false, err
		}
		payload := b[head : head+n]
		s.used(head + n)
		if first&0x70 != 0 {
			return 0, nil, false, fmt.Errorf("a frame with first byte %#x, no extension was asked for", first)
		}
		op, whole := first&15, first&0x80 != 0
		if op >= opClose {
			return op, payload, true, nil
		}
		op, payload, whole, err = s.join(op, payload, whole)
		if whole || err != nil {
			return op, payload, whole, err
		}
	}
}

// join puts fragments together; whole is true for the message that is complete with this one.
func (s *stream) join(op byte, payload []byte, last bool) (_ byte, _ []byte, whole bool, err error) {
	if (op == opContinuation) != (s.partial != 0) {
		return 0, nil, false, fmt.Errorf("a frame with opcode %d within, or without, a fragmented message", op)
	}
	if op != opContinuation {
		if last {
			return op, payload, true, nil
		}
		s.parts, s.partial = s.parts[:0], op
	}
	s.parts = append(s.parts, payload...)
	if !last {
		return 0, nil, false, nil
	}
	op, s.partial = s.partial, 0
	return op, s.parts, true, nil
}

// receive blocks for the next Engine.IO packet and answers WebSocket pings. It is for handshakes;
// loops use next.
func (s *stream) receive() ([]byte, error) {
	for {
		op, payload, ok, err := s.next()
		switch {
		case err != nil:
			return nil, err
		case !ok:
			if err := s.fill(); err != nil {
				return nil, err
			}
		case op >= opClose:
			if err := s.control(op, payload); err != nil {
				return nil, err
			}
		default:
			return payload, nil
		}
	}
}

// control answers a ping; a close frame is an error.
func (s *stream) control(op byte, payload []byte) error {
	switch op {
	case opPing:
		_, err := s.Write(appendFrame(nil, opPong, payload))
		return err
	case opClose:
		return closed(payload)
	}
	return nil
}

// closed is the error that a close frame stands for.
func closed(payload []byte) error {
	if len(payload) < 2 {
		return fmt.Errorf("the server closed the connection")
	}
	return fmt.Errorf("the server closed the connection: %d %s", binary.BigEndian.Uint16(payload), payload[2:])
}
