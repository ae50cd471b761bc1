package engineio

import (
	"slices"

	"github.com/valyala/fasthttp"
)

// Handler serves the engine at Config.Path and gives every other request to next. A nil next
// answers 404.
//
// Nothing that answers in the engine's place, changes its responses or runs it in another
// goroutine may stand in front: no cache, no timeout handler, no compression.
func (srv *Server) Handler(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	if next == nil {
		next = notFound
	}
	return func(ctx *fasthttp.RequestCtx) {
		if srv.Match(ctx.Path()) {
			srv.ServeFastHTTP(ctx)
			return
		}
		next(ctx)
	}
}

func notFound(ctx *fasthttp.RequestCtx) {
	ctx.Error("Not Found", fasthttp.StatusNotFound)
	discardBody(ctx)
}

// Match reports whether path is Config.Path, with or without its final slash.
func (srv *Server) Match(path []byte) bool {
	own := srv.config.Path
	return string(path) == own || string(path) == own[:len(own)-1]
}

// ServeFastHTTP handles one request of an Engine.IO client, whatever its path: a handshake, a poll, a
// POST, or a WebSocket. It returns when the request is answered, which for a poll may take
// as long as the session's ping interval, in revision 3 its ping timeout too, and for a POST as long
// as its OnMessage and Config.MaxMessageRate take; a WebSocket goes on after it.
func (srv *Server) ServeFastHTTP(ctx *fasthttp.RequestCtx) {
	http := srv.watch(ctx.Done())
	if (ctx.IsGet() || ctx.IsOptions()) && hasContent(ctx, srv.config.BodyTimeout) {
		srv.refuse(ctx, refuse(CodeBadRequest, errBody)) // fasthttp would take what is not read for the next request
		return
	}
	if !srv.origins.allows(ctx) {
		srv.warnOrigin(ctx)
		srv.refuse(ctx, forbidden("Origin not allowed", errOrigin))
		return
	}
	if isPreflight(ctx) {
		srv.origins.preflight(ctx)
		return
	}
	r, err := srv.examine(ctx)
	r.http = http
	switch {
	case err != nil:
		srv.refuse(ctx, err)
	case r.session != nil && r.transport == WebSocket:
		srv.upgrade(ctx, r)
	case r.session != nil:
		if ctx.IsGet() {
			r.session.servedBy(http, Polling)
		}
		r.session.poll.serve(ctx, r.jsonp)
	default:
		if s := srv.handshake(ctx, r); s != nil {
			s.poll.serveGet(ctx, r.jsonp, true)
		}
	}
}

// A request is what the query of a request says. sid aliases the fasthttp request.
type request struct {
	transport Transport
	revision  Revision
	sid       []byte
	jsonp     []byte // the callback's number; nil when the request is no JSONP
	base64    bool
	session   *Session    // that of sid
	http      *httpServer // that the request came to
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
		case "j":
			r.jsonp = append(make([]byte, 0, len(value)), value...)
		case "b64":
			r.base64 = len(value) > 0
		}
	}
	return r
}

// examine finds what is wrong with a request, before it has any effect. It checks in the order of the reference, so that
// a request with several faults gets the same answer.
func (srv *Server) examine(ctx *fasthttp.RequestCtx) (request, *RequestError) {
	r := parse(ctx)
	upgrade := isUpgrade(ctx, r.transport)
	switch {
	case !slices.Contains(srv.config.Transports, r.transport):
		return r, refuse(CodeUnknownTransport, errTransport)
	case r.jsonp != nil && srv.config.DisableJSONP:
		return r, refuse(CodeBadRequest, errJSONP)
	case len(r.sid) == 0:
		return r, srv.examineHandshake(ctx, r, upgrade)
	}
	r.session = srv.registry.get(r.sid)
	switch s := r.session; {
	case s == nil:
		return r, refuse(CodeUnknownSession, errSession)
	case r.revision != s.revision:
		return r, refuse(CodeBadRequest, errOtherEIO)
	case upgrade != (r.transport == WebSocket):
		return r, refuse(CodeBadRequest, errMismatch)
	case r.transport == Polling && s.Transport() != Polling:
		return r, refuse(CodeBadRequest, errUpgraded) // or was opened by WebSocket
	}
	return r, nil
}

func (srv *Server) examineHandshake(ctx *fasthttp.RequestCtx, r request, upgrade bool) *RequestError {
	switch {
	case !ctx.IsGet():
		return refuse(CodeBadMethod, errMethod)
	case upgrade != (r.transport == WebSocket):
		return refuse(CodeBadRequest, errMismatch)
	case !slices.Contains(srv.config.Revisions, r.revision):
		return refuse(CodeUnsupportedVersion, errRevision)
	}
	return nil
}

// handshake opens a session, or refuses it. It returns a session on long-polling, whose response is yet to be written, and
// nil otherwise.
func (srv *Server) handshake(ctx *fasthttp.RequestCtx, r request) *Session {
	if r.transport == WebSocket {
		if err := checkUpgrade(ctx); err != nil {
			srv.refuse(ctx, err)
			return nil
		}
	}
	if r.http.isEnding() {
		srv.refuse(ctx, errDraining())
		return nil
	}
	remote := srv.proxies.remoteAddr(ctx)
	if err := srv.admit(remote.Addr()); err != nil {
		srv.refuse(ctx, err)
		return nil
	}
	id, err := srv.generateID(ctx)
	if err != nil {
		srv.releasePlace(remote.Addr())
		srv.busy.done()
		srv.refuse(ctx, err)
		return nil
	}
	s := srv.newSession(remote, id, r)
	if err := s.handshake(ctx); err != nil {
		s.terminate(ReasonServerClose, err)
		srv.refuse(ctx, refusal(err))
		return nil
	}
	if r.transport == WebSocket {
		srv.openWebSocket(ctx, s)
		return nil
	}
	s.out.cork()
	lost := s.connect(s.poll)
	s.uncork()
	s.out.dropCorkTimer()
	switch lost {
	case nil:
		srv.setCookie(ctx, s)
		return s
	case errIDInUse:
		srv.refuse(ctx, refuse(CodeBadRequest, lost))
	default:
		srv.refuse(ctx, refuse(CodeForbidden, lost))
	}
	return nil
}

func (srv *Server) setCookie(ctx *fasthttp.RequestCtx, s *Session) {
	if c := srv.config.Cookie; c != nil {
		c.set(&ctx.Response.Header, s.id, srv.proxies.secure(ctx))
	}
}

// handshake runs OnHandshake. A panic in it refuses the session.
func (s *Session) handshake(ctx *fasthttp.RequestCtx) (err error) {
	if f := s.srv.config.OnHandshake; f != nil {
		err = &RequestError{Status: 500, Code: CodeBadRequest, Message: "Internal Server Error", Err: errPanic}
		s.srv.handshaking.Add(1)
		defer s.srv.handshaking.Add(-1)
		defer s.srv.recovered("OnHandshake")
		err = f(s, ctx)
	}
	s.mu.Lock()
	s.handshakeDone = true
	s.mu.Unlock()
	return err
}

// mayUpgrade reports whether a session on t is offered WebSocket.
func (srv *Server) mayUpgrade(t Transport) bool {
	return t == Polling && !srv.config.DisableUpgrades && slices.Contains(srv.config.Transports, WebSocket)
}
