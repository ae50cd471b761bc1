package enginetest

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/fasteio/engineio/codec"
)

// Polling is a client on long-polling. It polls when it is asked for a packet and has none.
type Polling struct {
	Get, Post *HTTP // one connection for each method

	server *Server
	setup  Setup
	open   Open
	got    []codec.Packet
}

// StatusError is an answer other than 200.
type StatusError struct{ *Response }

// Error names the status and the body.
func (e *StatusError) Error() string { return fmt.Sprintf("status %d, body %.200q", e.Status, e.Body) }

// DialPolling connects by long-polling.
func (s *Server) DialPolling(setup Setup) (*Polling, error) {
	setup.Header = slices.Clip(setup.Header)
	p := &Polling{Get: s.HTTP(), Post: s.HTTP(), server: s, setup: setup.withDefaults()}
	packet, err := p.Receive()
	if err == nil {
		p.open, err = parseOpen(packet)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Handshake is the open packet.
func (p *Polling) Handshake() Open { return p.open }

// URI is the target of the client's requests.
func (p *Polling) URI() string { return p.setup.URI("polling", p.open.SID) }

// Poll makes one GET and returns the packets in the answer.
func (p *Polling) Poll() ([]codec.Packet, error) {
	r, err := p.Get.Do("GET", p.URI(), nil, p.setup.Header...)
	if err != nil {
		return nil, err
	}
	return p.Packets(r)
}

// Packets decodes the answer to a GET.
func (p *Polling) Packets(r *Response) (packets []codec.Packet, err error) {
	if r.Status != 200 {
		return nil, &StatusError{r}
	}
	format := p.format()
	if r.Header.Get("Content-Type") == "application/octet-stream" {
		format = codec.Binary3
	}
	for d := format.Decode(r.Body); ; {
		packet, err := d.Next()
		if err == io.EOF {
			return packets, nil
		}
		if err != nil {
			return packets, err
		}
		packets = append(packets, packet)
	}
}

func (p *Polling) format() codec.Format {
	if p.setup.Revision == codec.V3 {
		return codec.Text3
	}
	return codec.Text4
}

// Receive is the next packet.
func (p *Polling) Receive() (codec.Packet, error) {
	for len(p.got) == 0 {
		packets, err := p.Poll()
		if err != nil {
			return codec.Packet{}, err
		}
		p.got = packets
	}
	packet := p.got[0]
	p.got = p.got[1:]
	return packet, nil
}

// Send makes one POST.
func (p *Polling) Send(packets ...codec.Packet) error {
	body, contentType := p.Payload(packets...)
	r, err := p.Post.Do("POST", p.URI(), body, append(p.setup.Header, "Content-Type: "+contentType)...)
	if err != nil {
		return err
	}
	if r.Status != 200 {
		return &StatusError{r}
	}
	return nil
}

// Payload is the body of a POST, and its type: binary in revision 3 if there is something binary to
// say and b64 was not asked for.
func (p *Polling) Payload(packets ...codec.Packet) (body []byte, contentType string) {
	format, contentType := p.format(), "text/plain;charset=UTF-8"
	for _, packet := range packets {
		if packet.Binary && format == codec.Text3 && !strings.Contains(p.setup.Query, "b64=1") {
			format, contentType = codec.Binary3, "application/octet-stream"
		}
	}
	for _, packet := range packets {
		body = format.Append(body, packet)
	}
	return body, contentType
}

// Upgrade moves the session to a WebSocket the way the official client does: it polls on until the
// probe is answered and its last poll has come home. The noop that this takes is not handed on. The
// polling client is done for then.
func (p *Polling) Upgrade() (*WebSocket, error) {
	var probed atomic.Bool
	home := make(chan error, 1)
	go func() {
		for {
			packets, err := p.Poll()
			p.got = append(p.got, packets...)
			if err != nil || probed.Load() {
				home <- err
				return
			}
		}
	}()
	w, err := p.Probe()
	probed.Store(true)
	if err != nil {
		p.Close()
		<-home
		return nil, err
	}
	if err = <-home; err == nil {
		err = w.Send(codec.Packet{Type: codec.Upgrade})
	}
	p.Close()
	if err != nil {
		w.Close()
		return nil, err
	}
	w.got = slices.DeleteFunc(p.got, func(packet codec.Packet) bool { return packet.Type == codec.Noop })
	return w, nil
}

// Probe opens a WebSocket for the session and plays the upgrade up to the answer to the probe.
func (p *Polling) Probe() (*WebSocket, error) {
	w, err := p.server.DialWebSocket(p.setup, p.open.SID)
	if err != nil {
		return nil, err
	}
	w.open = p.open
	if err = w.Send(codec.Packet{Type: codec.Ping, Data: []byte("probe")}); err == nil {
		var answer codec.Packet
		if answer, err = w.Receive(); err == nil && (answer.Type != codec.Pong || string(answer.Data) != "probe") {
			err = fmt.Errorf("enginetest: %v %.80q in answer to the probe", answer.Type, answer.Data)
		}
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

// Close drops both connections.
func (p *Polling) Close() {
	p.Get.Close()
	p.Post.Close()
}

// Reset drops them with a TCP reset.
func (p *Polling) Reset() {
	p.Get.Reset()
	p.Post.Reset()
}
