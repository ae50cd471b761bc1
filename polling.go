package engineio

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/conncheck"
	"github.com/fasteio/engineio/internal/ws"
)

// noopDelay is how long a GET that arrives in the middle of an upgrade is held before it is answered
// with a noop. The client may be about to send the 5, which answers it better; the reference looks
// every 100 ms, so holds it for 50 on average.
const noopDelay = 50 * time.Millisecond

// polling carries a session over HTTP: a GET drains the outbox, a POST feeds the session.
type polling struct {
	s      *Session
	parked conncheck.Poll
	get    sync.Mutex  // held by the GET under way; only ever tried
	post   sync.Mutex  // held by the POST under way; only ever tried
	noop   atomic.Bool // the GET under way is to be answered with a noop

	delivery atomic.Pointer[delivery] // the large answer under way, or nil; changed under Session.mu
}

func (p *polling) wake() { p.parked.Wake() }
func (p *polling) send() { p.parked.Wake() }

// release answers the GET under way, if there is one, with a noop.
func (p *polling) release() {
	p.noop.Store(true)
	p.parked.Wake()
}

func (p *polling) serve(ctx *fasthttp.RequestCtx, jsonp []byte) {
	switch {
	case ctx.IsGet():
		p.serveGet(ctx, jsonp, false)
	case ctx.IsPost():
		p.servePost(ctx, jsonp != nil)
	default:
		p.s.srv.refuse(ctx, refuse(codeBadMethod, errMethod))
	}
}

// serveGet answers with what is queued, and waits for it when there is nothing.
func (p *polling) serveGet(ctx *fasthttp.RequestCtx, jsonp []byte, initial bool) {
	if !p.get.TryLock() {
		if p.s.Transport() != Polling { // the upgrade has it
			p.s.srv.refuse(ctx, refuse(codeBadRequest, errUpgraded))
			return
		}
		p.s.terminate(ReasonTransportError, errPollOverlap)
		p.s.srv.refuseEmpty(ctx, fasthttp.StatusBadRequest, errPollOverlap)
		return
	}
	defer p.endGet()
	p.noop.Store(false)
	p.parked.Arm()
	if p.s.probed.Load() {
		timer := time.AfterFunc(noopDelay, p.release)
		defer timer.Stop()
	}
	if d := p.delivery.Load(); d != nil {
		timer := time.AfterFunc(overlapTime, func() { p.overlap(d) })
		defer timer.Stop()
	}
	r := response{ctx: ctx, jsonp: jsonp, initial: initial}
	for !p.drain(&r) {
		p.s.srv.checkConn(ctx.Conn())
		if !p.parked.Wait(ctx.Conn()) {
			if p.s.out.abandon(p) { // or an upgrade has it
				p.s.terminate(ReasonTransportClose, errPollAborted)
			}
			ctx.SetConnectionClose()
			return
		}
		p.parked.Arm()
	}
	if len(r.body) == 0 {
		return
	}
	r.write(p.s)
	r.delivery.send(&r)
	p.s.finishedWriting(r.packets, nil)
	if r.last {
		p.s.closeDelivered()
	}
}

// endGet ends a GET. After an upgrade none will follow, and the connection is not kept in mind.
func (p *polling) endGet() {
	for {
		upgraded := p.s.Transport() != Polling
		if upgraded {
			p.parked.Release()
		}
		p.get.Unlock()
		if upgraded || p.s.Transport() == Polling || !p.get.TryLock() {
			return
		}
	}
}

// drain puts the answer to a GET into r, or refuses it; false means that there is none yet. The
// caller holds p.get.
func (p *polling) drain(r *response) bool {
	if p.waits() {
		return false
	}
	queue, n, last, err := p.s.out.take(p)
	switch {
	case errors.Is(err, errUpgraded):
		p.s.srv.refuse(r.ctx, refuse(codeBadRequest, err))
	case err != nil:
		p.s.srv.refuse(r.ctx, refuse(codeUnknownSession, err))
	case queue != nil || last:
		r.packets, r.last = n, last
		if err := p.answer(r, queue, last); err != nil {
			p.s.finishedWriting(n, err)
		}
	case p.noop.Load():
		p.s.out.setNotReady(p)
		r.room(1)
		r.body = textFormat(p.s.revision).Append(r.body, codec.Packet{Type: codec.Noop})
	default:
		return false
	}
	return true
}

// answer puts the queue as one payload into r, and the last word after it. Before a large one it looks
// whether the client is still there: compressing for nobody would hold up others.
func (p *polling) answer(r *response, queue *chunk, last bool) error {
	format := p.format(queue, r.jsonp != nil)
	r.binary = format == codec.Binary3
	r.room(queue.size())
	for c := queue; c != nil; c = c.next {
		r.plain = r.plain || c.plain
		for frames := c.frames(); len(frames) > 0; {
			op, data, rest := ws.Split(frames)
			r.body = format.Append(r.body, unframe(p.s.revision, op, data))
			frames = rest
		}
	}
	p.weigh(r)
	p.s.out.free(queue)
	if last {
		word := codec.Close
		if p.s.closeReason() == ReasonClientClose {
			word = codec.Noop // it knows; this only ends its poll
		}
		r.body = format.Append(r.body, codec.Packet{Type: word})
	}
	if len(r.body) >= p.s.srv.config.CompressionThreshold && p.parked.Gone(r.ctx.Conn()) {
		p.s.terminate(ReasonTransportClose, errPollAborted)
		r.body = nil
		r.ctx.SetConnectionClose()
		return errPollAborted
	}
	return nil
}

// format picks the payload's encoding. Revision 3 has a binary one, for clients that can take it
// and only when there is something binary to say.
func (p *polling) format(queue *chunk, jsonp bool) codec.Format {
	text := textFormat(p.s.revision)
	if text == codec.Text4 || jsonp {
		return text
	}
	for c := queue; c != nil; c = c.next {
		for frames := c.frames(); len(frames) > 0; {
			op, _, rest := ws.Split(frames)
			if op == ws.Binary {
				return codec.Binary3
			}
			frames = rest
		}
	}
	return text
}

func textFormat(rev codec.Revision) codec.Format {
	if rev == codec.V3 {
		return codec.Text3
	}
	return codec.Text4
}

// unframe is the packet that a queued frame carries.
func unframe(rev codec.Revision, op ws.Op, payload []byte) codec.Packet {
	if op == ws.Text {
		return codec.Packet{Type: codec.Type(payload[0]), Data: payload[1:]}
	}
	if rev == codec.V3 {
		payload = payload[1:]
	}
	return codec.Packet{Type: codec.Message, Binary: true, Data: payload}
}
