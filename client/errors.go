package client

import "errors"

var (
	// ErrClosed is what errors.Is finds in the error of a send on a client that is closing or closed, of a Read
	// when all is read, and of a Flush whose messages the end has lost.
	ErrClosed = errors.New("client: closed")

	// ErrNotConnected is returned by a send between two sessions, with ReconnectOptions.RefuseSends.
	ErrNotConnected = errors.New("client: not connected")

	// ErrTooBig is returned by a send whose message alone is more than the server's maxPayload, as the transport of
	// the moment counts it: on long-polling revision 4 has binary as base64, a third more.
	ErrTooBig = errors.New("client: message larger than the server accepts")

	// ErrRevision is what errors.Is finds in the error of a Dial, or of a session, whose server speaks another
	// revision than Options.Revision.
	ErrRevision = errors.New("client: the server speaks another revision of the protocol")

	// ErrInvalidText is returned by a send whose text is not valid UTF-8, or has the byte 0x1e while
	// revision 4 may have to carry it by long-polling, where that byte separates packets.
	ErrInvalidText = errors.New("client: text that the transport cannot carry")
)

// What lies behind the end of a session, as the Err of a CloseError.
var (
	errSilent  = errors.New("nothing from the server within pingInterval and pingTimeout")
	errTooLong = errors.New("more than Options.ReadLimit")
	errNoOpen  = errors.New("the first packet is no valid handshake")
)
