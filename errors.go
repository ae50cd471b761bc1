package engineio

import (
	"errors"
)

var (
	// ErrClosed is returned by every send on a session that has ended, and by a Flush of what
	// was lost with it.
	ErrClosed = errors.New("engineio: session closed")

	// ErrNotOpen is returned by every send before OnConnect is due, so in OnHandshake.
	ErrNotOpen = errors.New("engineio: session is not open yet, send in OnConnect")

	// ErrQueueFull is returned by a send that would exceed Config.MaxQueuedBytes or MaxQueuedBytesTotal. The
	// message was not queued; Config.Overflow says whether the session lives on. Flush waits
	// for room.
	ErrQueueFull = errors.New("engineio: send queue full")

	// ErrInvalidText is returned by a text send whose data is not valid UTF-8, or that has the
	// byte 0x1e while a revision 4 session is on long-polling, where that byte separates packets
	// and would let one message pass for two.
	ErrInvalidText = errors.New("engineio: text that the transport cannot carry")

	// ErrNotReady is returned by a volatile send to a client that cannot take it at once. The
	// message was dropped.
	ErrNotReady = errors.New("engineio: client not ready, volatile message dropped")

	// ErrTooLate is returned by SetPing after the handshake.
	ErrTooLate = errors.New("engineio: the handshake is over")

	// ErrShutdown is returned by Go after Shutdown.
	ErrShutdown = errors.New("engineio: server shut down")
)

// What ended a session, as the Err of a CloseError.
var (
	errPollOverlap   = errors.New("two GET requests at once")
	errPostOverlap   = errors.New("two POST requests at once")
	errStalled       = errors.New("the client does not take its response")
	errPollAborted   = errors.New("the client aborted its poll")
	errInvalidBody   = errors.New("a binary request body in revision 4")
	errPingDirection = errors.New("a heartbeat in the wrong direction")
	errUpgraded      = errors.New("the session has left long-polling")
	errNoHijack      = errors.New("the client was gone before it had its 101")
)
