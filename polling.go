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
// with a noop, since the client may be about to complete the upgrade. The reference checks
// every 100 ms, so it holds such a GET for 50 ms on average.
const noopDelay = 50 * time.Millisecond

// polling carries a session over HTTP: a GET takes from the outbox, a POST brings packets for the session.
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

// answerNoop answers the GET under way, if there is one, with a noop.
func (p *polling) answerNoop() {
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
		p.s.srv.refuse(ctx, refuse(CodeBadMethod, errMethod))
	}
}

// serveGet answers with what is queued, and waits for it when there is nothing.
func (p *polling) serveGet(ctx *fasthttp.RequestCtx, jsonp []byte, initial bool) {
	if !p.get.TryLock() {
		if p.s.Transport() != Polling { // upgraded holds the lock
			p.s.srv.refuse(ctx, refuse(CodeBadRequest, errUpgraded))
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
		timer := time.AfterFunc(noopDelay, p.answerNoop)
		defer timer.Stop()
	}
	if d := p.delivery.Load(); d != nil {
		timer := time.AfterFunc(overlapTime, func() { p.overlap(d) })
		defer timer.Stop()
	}
	r := response{ctx: ctx, jsonp: jsonp, initial: initial}
	for !p.takeResponse(&r) {
		p.s.srv.checkConn(ctx.Conn())
		if !p.parked.Wait(ctx.Conn()) {
			if p.s.out.abandon(p) { // which fails after an upgrade
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
	if r.closes {
		p.s.closeDelivered()
	}
}

// upgraded is called when the session has moved to a WebSocket. A GET that is under way all the same finds that out.
func (p *polling) upgraded() {
	p.wake()
	if p.get.TryLock() {
		p.endGet()
	}
}

// endGet ends a GET. After an upgrade no GET will follow, and what is kept of the connection is released.
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

// takeResponse puts what is queued into r, or refuses the GET. It reports false when there is nothing to answer yet. The
// caller holds p.get.
func (p *polling) takeResponse(r *response) bool {
	if p.awaitsDelivery() {
		return false
	}
	b, err := p.s.out.take(p)
	switch {
	case errors.Is(err, errUpgraded):
		p.s.srv.refuse(r.ctx, refuse(CodeBadRequest, err))
	case err != nil:
		p.s.srv.refuse(r.ctx, refuse(CodeUnknownSession, err))
	case b.first != nil || b.closes:
		r.packets, r.closes = b.packets, b.closes
		if err := p.answer(r, b); err != nil {
			p.s.finishedWriting(b.packets, err)
		}
	case p.noop.Load():
		p.s.out.setNotReady(p)
		r.makeBody(1)
		r.body = textFormat(p.s.revision).Append(r.body, codec.Packet{Type: codec.Noop})
	default:
		return false
	}
	return true
}

// answer puts a batch as one payload into r, with the close packet if it is due. Before a large one it checks
// whether the client is still there, so as not to compress for a client that has gone.
func (p *polling) answer(r *response, b batch) error {
	format := p.format(b.first, r.jsonp != nil)
	r.binary = format == codec.Binary3
	r.makeBody(b.first.size())
	for c := b.first; c != nil; c = c.next {
		r.noCompress = r.noCompress || c.noCompress
		for frames := c.frames(); len(frames) > 0; {
			op, data, rest := ws.Split(frames)
			r.body = format.Append(r.body, unframe(p.s.revision, op, data))
			frames = rest
		}
	}
	p.countResponse(r)
	p.s.out.free(b.first)
	if b.closes {
		last := codec.Close
		if reason, _ := p.s.closeCause(); reason == ReasonClientClose {
			last = codec.Noop // the client has closed, and only has its poll answered
		}
		r.body = format.Append(r.body, codec.Packet{Type: last})
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
