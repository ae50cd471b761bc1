package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// uri is the request target of a session on long-polling, ready for its id.
const uri = "/engine.io/?EIO=4&transport=polling"

// separator stands between the packets of a payload.
const separator = "\x1e"

func getRequest(sid string) []byte {
	target := uri
	if sid != "" {
		target += "&sid=" + sid
	}
	return fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: soak\r\n\r\n", target)
}

func postRequest(sid, packet string) []byte {
	return fmt.Appendf(nil, "POST %s&sid=%s HTTP/1.1\r\nHost: soak\r\nContent-Type: text/plain;charset=UTF-8\r\n"+
		"Content-Length: %d\r\n\r\n%s", uri, sid, len(packet), packet)
}

func (s *session) openPoll() ([]byte, error) { return exchange(s.conn, s.r, getRequest("")) }

func (s *session) holdPoll() error {
	get := getRequest(s.sid)
	for {
		body, err := exchange(s.conn, s.r, get)
		if err != nil {
			return s.unlessAsked(err)
		}
		for p := range bytes.SplitSeq(body, []byte(separator)) {
			switch {
			case string(p) == "6" && s.c.closing.Load():
				return nil
			case string(p) == "1":
				return errors.New("the server closed")
			}
			if s.packet(p) {
				if err := s.pong(); err != nil {
					return s.unlessAsked(err)
				}
			}
		}
	}
}

// unlessAsked drops the error of a request that came after the session's goodbye.
func (s *session) unlessAsked(err error) error {
	s.posting.Lock()
	defer s.posting.Unlock()
	var status statusError
	if s.said && errors.As(err, &status) && status.code == http.StatusBadRequest {
		return nil
	}
	return err
}

// pong posts a pong on the connection that the next poll takes.
func (s *session) pong() error {
	s.posting.Lock()
	defer s.posting.Unlock()
	if s.said {
		return nil
	}
	if err := post(s.conn, s.r, s.sid, "3"); err != nil {
		return err
	}
	s.c.pings.Add(1)
	return nil
}

// goodbyePoll posts a close packet on a connection of its own, since the session's has a poll on it.
func (s *session) goodbyePoll() error {
	s.posting.Lock()
	defer s.posting.Unlock()
	s.said = true
	if err := s.conn.SetDeadline(time.Now().Add(openTimeout)); err != nil {
		return err
	}
	conn, err := dial(s.c.settings.Addr, s.number)
	if err != nil {
		return err
	}
	defer conn.Close()
	return post(conn, bufio.NewReaderSize(conn, readSize), s.sid, "1")
}

func post(conn net.Conn, r *bufio.Reader, sid, packet string) error {
	body, err := exchange(conn, r, postRequest(sid, packet))
	if err == nil && string(body) != "ok" {
		err = fmt.Errorf("a POST was answered %.60q", body)
	}
	return err
}

// exchange is a request with its answer.
func exchange(conn net.Conn, r *bufio.Reader, request []byte) ([]byte, error) {
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	if _, err := r.Peek(1); err != nil { // waits on a small stack
		return nil, err
	}
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	const most = 64 << 10
	body, err := io.ReadAll(io.LimitReader(response.Body, most))
	if err == nil && response.StatusCode != http.StatusOK {
		err = statusError{response.StatusCode, body}
	}
	return body, err
}

// statusError is an answer other than 200.
type statusError struct {
	code int
	body []byte
}

func (e statusError) Error() string { return fmt.Sprintf("status %d, %.200q", e.code, e.body) }
