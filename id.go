package engineio

import (
	"crypto/rand"
	"encoding/base64"
	"strings"

	"github.com/valyala/fasthttp"
)

// maxID bounds the session ids of GenerateID, in bytes.
const maxID = 128

// validID keeps ids to what needs no escaping in JSON, a query or a cookie.
func validID(id string) bool {
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-', c == '_', c == '.', c == '~':
		default:
			return false
		}
	}
	return len(id) >= 1 && len(id) <= maxID
}

// newID is 15 random bytes: 120 bits, which cannot be guessed, in 20 characters.
func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
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
		return "", refuse(CodeBadRequest, err)
	case !validID(id):
		return "", refuse(CodeBadRequest, errIDInvalid)
	case srv.registry.get(view(id)) != nil:
		return "", refuse(CodeBadRequest, errIDInUse)
	}
	return strings.Clone(id), nil
}
