package client

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/bytebuffer"
	"github.com/fasteio/engineio/internal/compress"
)

const (
	contentText   = "text/plain;charset=UTF-8"
	contentBinary = "application/octet-stream"

	// probeGrace is how long polling waits for the answer to the probe.
	probeWait = time.Second
)

// runPolling polls until the session ends or has moved to WebSocket.
func (s *session) runPolling() {
	for s.ctx.Err() == nil {
		if s.tryUpgrade() {
			return
		}
		if s.closing.Load() {
			<-s.ctx.Done() // the close packet has ended the poll; the POST that carries it must be answered
			return
		}
		err := s.pollOnce(s.ctx, func(p codec.Packet) (more bool, err error) { return s.receive(p), nil })
		if err != nil && !s.closing.Load() {
			s.endFor(err)
			return
		}
		s.awaitProbe()
	}
}

// pollOnce does one poll and hands its packets to use.
func (s *session) pollOnce(ctx context.Context, use func(codec.Packet) (more bool, err error)) error {
	r := fasthttp.AcquireRequest()
	defer fasthttp.ReleaseRequest(r)
	r.Header.SetRequestURI(s.target.requestURI(Polling, s.id))
	if err := s.setHeader(ctx, r); err != nil {
		return err
	}
	return s.polls.exchange(ctx, r, 0, s.c.o.ReadLimit, func(response *fasthttp.Response) error {
		s.noteActivity()
		s.keepCookies(response)
		body, err := s.decodeBody(response)
		if status := response.StatusCode(); status != fasthttp.StatusOK {
			return s.refusal(status, fields(response), body)
		}
		if err != nil {
			return err
		}
		return s.decodePayload(response, body, use)
	})
}

// decodeBody is the response's body, decompressed.
func (s *session) decodeBody(response *fasthttp.Response) ([]byte, error) {
	token := response.Header.ContentEncoding()
	coding, ok := compress.Parse(token)
	switch {
	case !ok:
		return nil, fmt.Errorf("unknown Content-Encoding %.40q", token)
	case coding == compress.Identity || len(response.Body()) == 0:
		return response.Body(), nil
	}
	body, err := compress.AppendDecompressed(nil, response.Body(), coding, s.c.o.ReadLimit)
	if err == compress.ErrTooLarge {
		err = errTooLong
	}
	return body, err
}

func (s *session) keepCookies(response *fasthttp.Response) {
	var lines []string
	for _, line := range response.Header.Cookies() {
		lines = append(lines, string(line))
	}
	s.c.cookies.set(s.target, lines)
}

// post sends a batch as one payload.
func (s *session) post(b batch) error {
	format, contentType := codec.Text4, contentText
	if s.c.o.Revision == V3 {
		format = codec.Text3
		for _, p := range b.packets {
			if p.Binary {
				format, contentType = codec.Binary3, contentBinary
				break
			}
		}
	}
	payload := bytebuffer.Acquire()
	defer bytebuffer.Release(payload)
	if b.heartbeat != nil {
		payload.B = format.Append(payload.B, *b.heartbeat)
	}
	for _, p := range b.packets {
		payload.B = format.Append(payload.B, p)
	}
	if b.closes {
		payload.B = format.Append(payload.B, codec.Packet{Type: codec.Close})
	}

	ctx, cancel := context.WithTimeout(s.ctx, s.c.o.RequestTimeout)
	defer cancel()
	r := fasthttp.AcquireRequest()
	defer fasthttp.ReleaseRequest(r)
	r.Header.SetMethod(fasthttp.MethodPost)
	r.Header.SetRequestURI(s.target.requestURI(Polling, s.id))
	if err := s.setHeader(ctx, r); err != nil {
		return err
	}
	r.Header.SetContentType(contentType)
	r.SetBodyRaw(payload.B)
	return s.posts.exchange(ctx, r, s.c.o.RequestTimeout, s.c.o.ReadLimit, func(response *fasthttp.Response) error {
		s.keepCookies(response)
		body, _ := s.decodeBody(response) // without it the status says enough
		switch status := response.StatusCode(); {
		case status == fasthttp.StatusRequestEntityTooLarge:
			return fmt.Errorf("%w: POST of %d bytes", ErrTooBig, len(payload.B))
		case status/100 != 2:
			return s.refusal(status, fields(response), body)
		}
		s.manyPackets = string(body) == "ok"
		return nil
	})
}

// closePacketSize is room for a close packet in any format.
const closePacketSize = 4

// payloadSize is how many bytes a packet takes in a payload: exact for revision 4, not too little for 3.
func payloadSize(revision Revision, p codec.Packet) int {
	n := 1 + len(p.Data)
	if revision == V4 {
		if p.Binary {
			n = 1 + base64.StdEncoding.EncodedLen(len(p.Data))
		}
		return n + 1 // separator
	}
	n += 3 // kind, colon or 0xff, a digit
	for rest := n; rest >= 10; rest /= 10 {
		n++
	}
	return n
}
