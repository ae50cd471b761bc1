package engineio

import (
	"encoding/json"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/ws"
)

// Handler serves the engine at Config.Path and gives every other request to next. A nil next
// answers 404.
//
// Nothing that answers in the engine's place, changes its responses or runs it in another
// goroutine may stand in front: no cache, no timeout handler, no compression.
func (srv *Server) Handler(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	if next == nil {
		next = func(ctx *fasthttp.RequestCtx) { ctx.Error("Not Found", fasthttp.StatusNotFound) }
	}
	return func(ctx *fasthttp.RequestCtx) {
		if srv.Match(ctx.Path()) {
			srv.Serve(ctx)
			return
		}
		next(ctx)
	}
}

// Match tells whether path is Config.Path, with or without its final slash.
func (srv *Server) Match(path []byte) bool {
	own := srv.config.Path
	return string(path) == own || string(path) == own[:len(own)-1]
}

// Serve handles one request of an Engine.IO client, whatever its path: a handshake, a poll, a
// POST, or a WebSocket. It returns when the request is answered, which for a poll may take
// as long as Config.PingInterval; a WebSocket goes on after it, in fasthttp's hijack handler.
func (srv *Server) Serve(ctx *fasthttp.RequestCtx) {
	srv.watch(ctx.Done())
	r, err := srv.examine(ctx)
	switch {
	case err != nil:
		srv.refuse(ctx, err)
	case r.session != nil && r.transport == WebSocket:
		srv.upgrade(ctx, r.session)
	case r.session != nil:
		r.session.poll.serve(ctx)
	default:
		srv.handshake(ctx, r)
	}
}

// A request is what the query says. sid aliases the fasthttp request.
type request struct {
	transport Transport
	revision  Revision
	sid       []byte
	base64    bool
	session   *Session // that of sid
}

// parse reads the query. Where a key stands twice the last one counts, as in the reference.
func parse(ctx *fasthttp.RequestCtx) (r request) {
	for key, value := range ctx.QueryArgs().All() {
		switch string(key) {
		case "transport":
			r.transport = 0
			switch string(value) {
			case "polling":
				r.transport = Polling
			case "websocket":
				r.transport = WebSocket
			}
		case "EIO":
			r.revision = 0
			if len(value) == 1 && (value[0] == '3' || value[0] == '4') {
				r.revision = Revision(value[0] - '0')
			}
		case "sid":
			r.sid = value
		case "b64":
			r.base64 = len(value) > 0
		}
	}
	return r
}

// examine decides about a request before anything is done, in the reference's order.
func (srv *Server) examine(ctx *fasthttp.RequestCtx) (request, *RequestError) {
	r := parse(ctx)
	if !slices.Contains(srv.config.Transports, r.transport) {
		return r, refuse(codeUnknownTransport)
	}
	if !srv.origins.allow(ctx) {
		return r, &RequestError{Code: codeForbidden, Message: "Origin not allowed"}
	}
	upgrade := isUpgrade(ctx)
	if len(r.sid) == 0 {
		return r, srv.examineHandshake(ctx, r, upgrade)
	}
	s := srv.registry.get(r.sid)
	switch {
	case s == nil:
		return r, refuse(codeUnknownSession)
	case r.revision != s.revision, upgrade != (r.transport == WebSocket):
		return r, refuse(codeBadRequest)
	case r.transport == Polling && s.Transport() != Polling:
		return r, refuse(codeBadRequest) // it has moved to WebSocket, or was opened there
	}
	r.session = s
	return r, nil
}

func (srv *Server) examineHandshake(ctx *fasthttp.RequestCtx, r request, upgrade bool) *RequestError {
	switch {
	case !ctx.IsGet():
		return refuse(codeBadMethod)
	case upgrade != (r.transport == WebSocket):
		return refuse(codeBadRequest)
	case !slices.Contains(srv.config.Revisions, r.revision):
		return refuse(codeUnsupportedVersion)
	}
	return nil
}

// handshake opens a session.
func (srv *Server) handshake(ctx *fasthttp.RequestCtx, r request) {
	if r.transport == WebSocket {
		if err := checkUpgrade(ctx); err != nil {
			srv.refuse(ctx, err)
			return
		}
	}
	if err := srv.admit(); err != nil {
		srv.refuse(ctx, err)
		return
	}
	s := srv.newSession(ctx, r)
	if err := s.handshake(ctx); err != nil {
		s.terminate(ReasonServerClose, err)
		srv.refuse(ctx, refusal(err))
		return
	}
	if r.transport == WebSocket {
		ws.Accept(ctx, "")
		ctx.Hijack(func(c net.Conn) { newWebSocket(s).serve(c) })
		return
	}
	s.out.cork()
	open := s.connect(s.poll)
	s.uncork()
	if !open {
		srv.refuse(ctx, refuse(codeForbidden))
		return
	}
	s.poll.serveGet(ctx)
}

func (srv *Server) newSession(ctx *fasthttp.RequestCtx, r request) *Session {
	s := &Session{srv: srv, id: newID(), revision: r.revision, remote: remoteAddr(ctx)}
	s.via.Store(uint32(r.transport))
	s.out.limit, s.out.revision, s.out.textOnly = srv.config.MaxQueued, r.revision, r.base64
	if r.transport == Polling {
		s.poll = &polling{s: s}
	}
	s.mu.Lock() // the timer may go off before it is assigned
	s.beat.timer = time.AfterFunc(srv.config.PingInterval+srv.config.PingTimeout, s.tick)
	s.mu.Unlock()
	return s
}

// handshake asks the application. A panic refuses.
func (s *Session) handshake(ctx *fasthttp.RequestCtx) (err error) {
	f := s.srv.config.OnHandshake
	if f == nil {
		return nil
	}
	err = &RequestError{Status: 500, Code: codeBadRequest, Message: "Internal Server Error"}
	defer s.srv.recovered("OnHandshake")
	err = f(s, ctx)
	return err
}

// mayUpgrade tells whether a session on t is offered WebSocket.
func (srv *Server) mayUpgrade(t Transport) bool {
	return t == Polling && !srv.config.DisableUpgrades && slices.Contains(srv.config.Transports, WebSocket)
}

// refuse answers with an error of the protocol. Headers set before, by a middleware, stay.
func (srv *Server) refuse(ctx *fasthttp.RequestCtx, e *RequestError) {
	e = e.withDefaults()
	body, _ := json.Marshal(struct { // two plain fields always marshal
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{e.Code, e.Message})
	ctx.SetStatusCode(e.Status)
	ctx.Response.Header.SetContentType("application/json")
	ctx.Response.Header.Set("Cache-Control", "no-store")
	for k, v := range e.Header {
		ctx.Response.Header.Set(k, v)
	}
	ctx.Response.SetBody(body)
	if ctx.RequestBodyStream() != nil {
		ctx.SetConnectionClose() // fasthttp would take an unread body for the next request
	}
	srv.config.Logger.Debug("engineio: request refused", "status", e.Status, "code", e.Code,
		"message", e.Message, "remote", ctx.RemoteAddr(), "err", e.cause)
}

func remoteAddr(ctx *fasthttp.RequestCtx) netip.AddrPort {
	a, ok := ctx.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
