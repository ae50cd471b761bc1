package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// The key is always the same, and so is the answer to it.
const (
	upgradeKey    = "dGhlIHNhbXBsZSBub25jZQ=="
	upgradeAccept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
)

// uri is the request target of a session's requests, or of a handshake's when sid is empty.
func (o *options) uri(transport, sid string) string {
	uri := fmt.Sprintf("%s?EIO=%d&transport=%s", o.path, o.revision, transport)
	if sid != "" {
		uri += "&sid=" + sid
	}
	return uri
}

// get is a poll.
func (o *options) get(sid string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\n\r\n", o.uri("polling", sid), o.host)
}

// postHead is the head of a POST with a body of n bytes.
func (o *options) postHead(sid string, n int) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAccept: */*\r\nContent-Type: text/plain;charset=UTF-8\r\nContent-Length: %d\r\n\r\n",
		o.uri("polling", sid), o.host, n)
}

// post is a POST with one packet.
func (o *options) post(sid, packet string) []byte {
	body := appendPacket(nil, o.revision, []byte(packet))
	return append(o.postHead(sid, len(body)), body...)
}

// upgrade asks for a WebSocket.
func (o *options) upgrade(sid string) []byte {
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n",
		o.uri("websocket", sid), o.host, upgradeKey)
}

// switched reads the 101.
func (w *wire) switched() error {
	head, err := w.head()
	if err != nil {
		return err
	}
	if !bytes.Contains(head[:min(len(head), 13)], []byte(" 101")) || !bytes.Contains(head, []byte(upgradeAccept)) {
		return fmt.Errorf("the WebSocket handshake was answered %.300s", strconv.Quote(string(head)))
	}
	w.used(len(head))
	return nil
}
