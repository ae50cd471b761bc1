package ws

import "strconv"

// Error is a violation of the protocol by the client. Code and Reason are what the close frame in
// answer should carry: 1002 for a broken frame, 1007 for text that is not UTF-8 or data that does not inflate,
// 1009 for a message over the limit.
type Error struct {
	Code   int    // of the close frame, RFC 6455 section 7.4
	Reason string // what was wrong, in a few words
}

// Error is the reason and the code.
func (e *Error) Error() string {
	return "ws: " + e.Reason + " (" + strconv.Itoa(e.Code) + ")"
}

func protocolError(reason string) *Error { return &Error{Code: 1002, Reason: reason} }

var (
	errText   = &Error{Code: 1007, Reason: "text is not UTF-8"}
	errTooBig = &Error{Code: 1009, Reason: "message too big"}
)
