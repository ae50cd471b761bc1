package engineio

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"time"

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
	srv.watch(ctx.Done())
	if (ctx.IsGet() || ctx.IsOptions()) && hasContent(ctx, srv.config.BodyTimeout) {
		srv.refuse(ctx, refuse(codeBadRequest, errBody)) // what nobody reads would be the next request
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
	switch {
	case err != nil:
		srv.refuse(ctx, err)
	case r.session != nil && r.transport == WebSocket:
		srv.upgrade(ctx, r)
	case r.session != nil:
		r.session.poll.serve(ctx, r.jsonp)
	default:
		if s := srv.handshake(ctx, r); s != nil {
			s.poll.serveGet(ctx, r.jsonp, true)
		}
	}
}

func forbidden(message string, err error) *RequestError {
	return &RequestError{Code: codeForbidden, Message: message, Err: err}
}

// A request is what the query says. sid aliases the fasthttp request.
type request struct {
	transport Transport
	revision  Revision
	sid       []byte
	jsonp     []byte // the callback's number; nil when the request is no JSONP
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
		case "j":
			r.jsonp = append(make([]byte, 0, len(value)), value...)
		case "b64":
			r.base64 = len(value) > 0
		}
	}
	return r
}

// examine decides about a request before anything is done, in the reference's order.
func (srv *Server) examine(ctx *fasthttp.RequestCtx) (request, *RequestError) {
	r := parse(ctx)
	upgrade := isUpgrade(ctx, r.transport)
	switch {
	case !slices.Contains(srv.config.Transports, r.transport):
		return r, refuse(codeUnknownTransport, errTransport)
	case r.jsonp != nil && srv.config.DisableJSONP:
		return r, refuse(codeBadRequest, errJSONP)
	case len(r.sid) == 0:
		return r, srv.examineHandshake(ctx, r, upgrade)
	}
	r.session = srv.registry.get(r.sid)
	switch s := r.session; {
	case s == nil:
		return r, refuse(codeUnknownSession, errSession)
	case r.revision != s.revision:
		return r, refuse(codeBadRequest, errOtherEIO)
	case upgrade != (r.transport == WebSocket):
		return r, refuse(codeBadRequest, errMismatch)
	case r.transport == Polling && s.Transport() != Polling:
		return r, refuse(codeBadRequest, errUpgraded) // or was opened by WebSocket
	}
	return r, nil
}

func (srv *Server) examineHandshake(ctx *fasthttp.RequestCtx, r request, upgrade bool) *RequestError {
	switch {
	case !ctx.IsGet():
		return refuse(codeBadMethod, errMethod)
	case upgrade != (r.transport == WebSocket):
		return refuse(codeBadRequest, errMismatch)
	case !slices.Contains(srv.config.Revisions, r.revision):
		return refuse(codeUnsupportedVersion, errRevision)
	}
	return nil
}

// handshake opens a session. One on long-polling is returned, for its first answer.
func (srv *Server) handshake(ctx *fasthttp.RequestCtx, r request) *Session {
	if r.transport == WebSocket {
		if err := checkUpgrade(ctx); err != nil {
			srv.refuse(ctx, err)
			return nil
		}
	}
	remote := srv.proxies.remoteAddr(ctx)
	if err := srv.admit(remote.Addr()); err != nil {
		srv.refuse(ctx, err)
		return nil
	}
	id, err := srv.generateID(ctx)
	if err != nil {
		srv.dismiss(remote.Addr())
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
	s.out.relax()
	switch lost {
	case nil:
		srv.setCookie(ctx, s)
		return s
	case errIDInUse:
		srv.refuse(ctx, refuse(codeBadRequest, lost))
	default:
		srv.refuse(ctx, refuse(codeForbidden, lost))
	}
	return nil
}

func (srv *Server) setCookie(ctx *fasthttp.RequestCtx, s *Session) {
	if c := srv.config.Cookie; c != nil {
		c.set(&ctx.Response.Header, s.id, srv.proxies.secure(ctx))
	}
}

// generateID makes the id of a new session.
func (srv *Server) generateID(ctx *fasthttp.RequestCtx) (string, *RequestError) {
	f := srv.config.GenerateID
	if f == nil {
		return newID(), nil
	}
	id, err := "", errPanic
	srv.guarded("GenerateID", func() { id, err = f(ctx) })
	switch {
	case err != nil:
		return "", refuse(codeBadRequest, err)
	case !validID(id):
		return "", refuse(codeBadRequest, errIDInvalid)
	case srv.registry.get(view(id)) != nil:
		return "", refuse(codeBadRequest, errIDInUse)
	}
	return strings.Clone(id), nil
}

func (srv *Server) newSession(remote netip.AddrPort, id string, r request) *Session {
	c := &srv.config
	s := &Session{srv: srv, id: id, revision: r.revision, remote: remote, born: srv.now(), rate: newRateLimit(c)}
	s.pingInterval, s.pingTimeout = c.PingInterval, c.PingTimeout
	s.via.Store(uint32(r.transport))
	s.over.Store(true)
	s.out.limit, s.out.packFrom = c.MaxQueuedBytes, c.CompressionThreshold
	s.out.revision = r.revision
	s.out.total, s.out.dropsOldest = &srv.queued, c.Overflow == OverflowDropOldest
	s.out.watermark = newWatermark(s)
	s.out.textOnly = r.base64 || r.jsonp != nil
	if r.transport == Polling {
		s.poll = &polling{s: s}
	}
	if c.MaxConcurrentMessages > 1 {
		s.slots = make(chan struct{}, c.MaxConcurrentMessages)
	}
	s.mu.Lock() // the timer may go off before it is assigned
	s.beat.timer = time.AfterFunc(c.PingInterval+c.PingTimeout, s.tick)
	s.mu.Unlock()
	if made != nil {
		made(s)
	}
	return s
}

// handshake asks the application. A panic refuses.
func (s *Session) handshake(ctx *fasthttp.RequestCtx) (err error) {
	if f := s.srv.config.OnHandshake; f != nil {
		err = &RequestError{Status: 500, Code: codeBadRequest, Message: "Internal Server Error", Err: errPanic}
		s.srv.asking.Add(1)
		defer s.srv.asking.Add(-1)
		defer s.srv.recovered("OnHandshake")
		err = f(s, ctx)
	}
	s.mu.Lock()
	s.asked = true
	s.mu.Unlock()
	return err
}

// mayUpgrade reports whether a session on t is offered WebSocket.
func (srv *Server) mayUpgrade(t Transport) bool {
	return t == Polling && !srv.config.DisableUpgrades && slices.Contains(srv.config.Transports, WebSocket)
}

// refuse answers with an error of the protocol. Headers set before, by a middleware, stay.
func (srv *Server) refuse(ctx *fasthttp.RequestCtx, e *RequestError) {
	e = e.withDefaults()
	srv.report(ctx, e)
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
	discardBody(ctx)
}

// refuseEmpty answers with a bare status, as the reference does for what breaks the rules of
// long-polling.
func (srv *Server) refuseEmpty(ctx *fasthttp.RequestCtx, status int, err error) {
	srv.report(ctx, &RequestError{Status: status, Code: codeBadRequest, Message: codeText[codeBadRequest], Err: err})
	ctx.SetStatusCode(status)
	if !ctx.Response.ConnectionClose() {
		discardBody(ctx)
	}
}
