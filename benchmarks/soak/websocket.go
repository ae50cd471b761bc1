package main

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"time"
)

// The key is always the same, and so is the answer to it.
const (
	upgradeRequest = "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: soak\r\nConnection: Upgrade\r\n" +
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	upgradeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// The frames of a client, masked, and the first bytes of a server's.
var (
	pongFrame  = []byte{0x81, 0x81, 1, 2, 3, 4, '3' ^ 1}
	closeFrame = []byte{0x88, 0x82, 1, 2, 3, 4, normalClosure>>8 ^ 1, normalClosure&0xff ^ 2}
)

const (
	textFrame     = 0x81
	closeOpcode   = 0x88
	normalClosure = 1000
)

func (s *session) openWebSocket() ([]byte, error) {
	if _, err := s.conn.Write([]byte(upgradeRequest)); err != nil {
		return nil, err
	}
	r, err := http.ReadResponse(s.r, nil)
	if err != nil {
		return nil, err
	}
	if r.StatusCode != http.StatusSwitchingProtocols || r.Header.Get("Sec-Websocket-Accept") != upgradeAccept {
		return nil, fmt.Errorf("the WebSocket handshake was answered %s, %v", r.Status, r.Header)
	}
	first, packet, err := s.frame()
	if err == nil && first != textFrame {
		err = fmt.Errorf("a frame that begins with %#x in place of the open packet", first)
	}
	return packet, err
}

func (s *session) holdWebSocket() error {
	for {
		first, payload, err := s.frame()
		if err != nil {
			return err
		}
		switch first {
		case textFrame:
			if s.packet(payload) {
				if _, err := s.conn.Write(pongFrame); err != nil {
					return err
				}
				s.c.pings.Add(1)
			}
		case closeOpcode:
			if s.c.closing.Load() && len(payload) == 2 && binary.BigEndian.Uint16(payload) == normalClosure {
				return nil
			}
			return fmt.Errorf("the server closed: %q", payload)
		default:
			return fmt.Errorf("a frame that begins with %#x, %d bytes", first, len(payload))
		}
	}
}

func (s *session) goodbyeWebSocket() error {
	if err := s.conn.SetDeadline(time.Now().Add(openTimeout)); err != nil {
		return err
	}
	_, err := s.conn.Write(closeFrame)
	return err
}

// frame waits for a frame. Its payload is valid until the next.
func (s *session) frame() (first byte, payload []byte, err error) {
	b, err := s.r.Peek(2)
	if err != nil {
		return 0, nil, err
	}
	first = b[0]
	head, size := 2, int(b[1])
	if size == 126 {
		if b, err = s.r.Peek(4); err != nil {
			return 0, nil, err
		}
		head, size = 4, int(binary.BigEndian.Uint16(b[2:]))
	}
	if size > readSize-head || b[1] > 126 {
		return 0, nil, fmt.Errorf("a frame of more than %d bytes, or masked: % x", readSize, b)
	}
	if b, err = s.r.Peek(head + size); err != nil {
		return 0, nil, err
	}
	_, err = s.r.Discard(head + size) // leaves the bytes where they are
	return first, b[head:], err
}
