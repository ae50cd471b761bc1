package engineio

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/httpheader"
	"github.com/fasteio/engineio/internal/status"
)

// What was wrong with a refused request.
var (
	errTransport     = errors.New("transport is missing, unknown or not enabled")
	errOrigin        = errors.New("origin is not allowed")
	errSession       = errors.New("no such session")
	errRevision      = errors.New("EIO is not a revision on offer")
	errOtherEIO      = errors.New("EIO is not the session's")
	errMethod        = errors.New("method is not for this")
	errMismatch      = errors.New("transport and Upgrade header do not go together")
	errIDInUse       = errors.New("the generated session id is in use")
	errIDInvalid     = errors.New("the generated session id is not 1 to 128 characters of A-Z a-z 0-9 - _ . ~")
	errNoUpgrade     = errors.New("upgrades are disabled")
	errJSONP         = errors.New("JSONP is disabled")
	errBody          = errors.New("a body where none belongs")
	errPanic         = errors.New("a callback of the application panicked")
	errSessions      = errors.New("there are MaxSessions")
	errSessionsOfOne = errors.New("there are MaxSessionsPerIP")
	errRate          = errors.New("more than MaxHandshakeRate")
	errRateOfOne     = errors.New("more than MaxHandshakeRatePerIP")
	errTooBig        = errors.New("the body is above MaxPayload")
	errTooMany       = errors.New("the body has more than MaxPackets")
	errBrokenBody    = errors.New("the body does not come to its end")
	errTooSlow       = errors.New("the body took longer than BodyTimeout")
)

// RequestError refuses a request. OnHandshake returns one to choose what the client sees; any
// other error from it is answered with 403, code 4 and the text "Forbidden", but for a *fiber.Error where the
// engine is mounted in Fiber, whose status and message are kept.
//
// On long-polling the body is {"code":Code,"message":Message}; a WebSocket handshake gets the
// same, in place of the 101.
type RequestError struct {
	// Status is the HTTP status, 400 to 599. Default: 403 for code 4, otherwise 400.
	Status int
	// Code is Engine.IO's, such as CodeBadRequest. A refusal by OnHandshake with code 0 has CodeForbidden, so
	// OnHandshake cannot refuse with CodeUnknownTransport.
	Code int
	// Message is what the client's error says. Default: the code's text in the protocol.
	Message string
	// Header is added to the response, such as WWW-Authenticate or Retry-After. Its values replace those that a
	// middleware has set for the same name.
	Header http.Header
	// Err is what was wrong, for the log and OnRequestRefused; the client is not told. Default:
	// the error of OnHandshake that was no RequestError.
	Err error
}

// The error codes of the protocol, which clients find in the body of a refusal.
const (
	// CodeUnknownTransport: transport is missing, unknown or not in Config.Transports.
	CodeUnknownTransport = 0
	// CodeUnknownSession: no session has this sid. Clients connect again.
	CodeUnknownSession = 1
	// CodeBadMethod: a handshake by another method than GET.
	CodeBadMethod = 2
	// CodeBadRequest: whatever else is wrong with a request.
	CodeBadRequest = 3
	// CodeForbidden: the application refused, or the page's origin is not allowed.
	CodeForbidden = 4
	// CodeUnsupportedVersion: EIO is not in Config.Revisions.
	CodeUnsupportedVersion = 5
)

var codeText = [...]string{
	CodeUnknownTransport:   "Transport unknown",
	CodeUnknownSession:     "Session ID unknown",
	CodeBadMethod:          "Bad handshake method",
	CodeBadRequest:         "Bad request",
	CodeForbidden:          "Forbidden",
	CodeUnsupportedVersion: "Unsupported protocol version",
}

// Error is the message with its status and code.
func (e *RequestError) Error() string {
	return fmt.Sprintf("engineio: %s (status %d, code %d)", e.Message, e.Status, e.Code)
}

// Unwrap gives Err.
func (e *RequestError) Unwrap() error { return e.Err }

func refuse(code int, err error) *RequestError { return &RequestError{Code: code, Err: err} }

// refusal is the answer for an error that OnHandshake has returned.
func refusal(err error) *RequestError {
	var e *RequestError
	if !errors.As(err, &e) {
		e = &RequestError{Code: CodeForbidden, Err: err}
		e.Status, e.Message, _ = status.Of(err)
		return e.withDefaults()
	}
	if e == nil {
		return (&RequestError{Code: CodeForbidden, Err: err}).withDefaults()
	}
	c := *e
	if c.Code == 0 {
		c.Code = CodeForbidden
	}
	return c.withDefaults()
}

func (e *RequestError) withDefaults() *RequestError {
	c := *e
	if c.Status < 400 || c.Status > 599 {
		c.Status = 400
		if c.Code == CodeForbidden {
			c.Status = 403
		}
	}
	if c.Message == "" && c.Code >= 0 && c.Code < len(codeText) {
		c.Message = codeText[c.Code]
	}
	return &c
}

func forbidden(message string, err error) *RequestError {
	return &RequestError{Code: CodeForbidden, Message: message, Err: err}
}

// refuse answers with an error of the protocol. Headers set before, by a middleware, stay.
func (srv *Server) refuse(ctx *fasthttp.RequestCtx, e *RequestError) {
	e = e.withDefaults()
	srv.reportRefusal(ctx, e)
	body, _ := json.Marshal(struct { // two plain fields always marshal
		Code    int    `json:"code"`
		Message string `json:"message"`
	}{e.Code, e.Message})
	ctx.SetStatusCode(e.Status)
	ctx.Response.Header.SetContentType("application/json")
	ctx.Response.Header.Set("Cache-Control", "no-store")
	for name, values := range e.Header {
		for i, value := range values {
			if i == 0 {
				ctx.Response.Header.Set(name, value)
			} else {
				ctx.Response.Header.Add(name, value)
			}
		}
	}
	ctx.Response.SetBody(body)
	discardBody(ctx)
}

// refuseEmpty answers with a bare status, as the reference does for what breaks the rules of
// long-polling.
func (srv *Server) refuseEmpty(ctx *fasthttp.RequestCtx, status int, err error) {
	srv.reportRefusal(ctx, &RequestError{Status: status, Code: CodeBadRequest, Message: codeText[CodeBadRequest], Err: err})
	ctx.SetStatusCode(status)
	if !ctx.Response.ConnectionClose() {
		discardBody(ctx)
	}
}

// reportRefusal runs OnRequestRefused, and logs a refused request.
func (srv *Server) reportRefusal(ctx *fasthttp.RequestCtx, e *RequestError) {
	remote := srv.proxies.remoteAddr(ctx)
	if f := srv.config.OnRequestRefused; f != nil {
		srv.guarded("OnRequestRefused", func() { f(ctx, remote, e) })
	}
	for _, r := range remedies {
		if e.Err == r.err {
			srv.warn(r.kind, r.message, "remote", remote)
		}
	}
	if !srv.debugging() {
		return
	}
	asked := parse(ctx)
	srv.config.Logger.Debug("engineio: request refused", "status", e.Status, "code", e.Code, "message", e.Message,
		"err", e.Err, "remote", remote, "method", shortened(ctx.Method()), "path", shortened(ctx.Path()),
		"transport", asked.transport, "sid", shortened(asked.sid))
}

// warnOrigin logs how to allow the page whose request is about to be refused. Of a page that uses JSONP only the
// Referer is known.
func (srv *Server) warnOrigin(ctx *fasthttp.RequestCtx) {
	host := shortened(ctx.Host())
	if from := httpheader.Value(&ctx.Request.Header, httpheader.Origin); len(from) > 0 {
		srv.warn(noticeOrigin, fmt.Sprintf("engineio: refused origin %q: list it in Config.AllowedOrigins", shortened(from)), "host", host)
		return
	}
	srv.warn(noticeJSONP, "engineio: refused JSONP of a page that is not the server's own: list its origin in Config.AllowedOrigins",
		"referer", shortened(httpheader.Value(&ctx.Request.Header, httpheader.Referer)), "host", host)
}
