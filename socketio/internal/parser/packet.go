// Package parser encodes and decodes the packets of revision 5 of the Socket.IO protocol
// (https://github.com/socketio/socket.io/tree/main/docs/socket.io-protocol), what clients 3 and 4 speak.
//
// A packet is one text message, and behind it one binary message for each of its attachments:
//
//	<type>[<attachments>-][<namespace>,][<acknowledgement id>][<JSON>]
package parser

import "errors"

// Type is what a packet is for.
type Type uint8

// The types of packets.
const (
	Connect Type = iota
	Disconnect
	Event
	Ack
	ConnectError
	BinaryEvent
	BinaryAck
)

// A Packet is what one side tells the other. A decoded one is an Event or an Ack where the wire has their
// binary forms.
type Packet struct {
	Type      Type
	Namespace string // "/" when the wire has none
	ID        uint64 // of the acknowledgement, MaxID at most
	HasID     bool
	Data      []byte // JSON that fits the Type, or empty

	Attachments  [][]byte
	Placeholders []Placeholder // where the attachments belong in Data, in order, none within another

	count int // of the attachments to come
}

// A Placeholder is the place of an attachment: Data[Start:End] is an object {"_placeholder":true,"num":Num}.
type Placeholder struct {
	Start, End, Num int
}

// MaxID is the largest id of an acknowledgement, what a number of JavaScript holds exactly.
const MaxID = 1<<53 - 1

// What is wrong with a message.
var (
	ErrType        = errors.New("socketio: unknown packet type")
	ErrAttachments = errors.New("socketio: malformed attachments")
	ErrTooMany     = errors.New("socketio: more attachments than Config.MaxAttachments")
	ErrTooBig      = errors.New("socketio: attachments above Config.MaxAttachmentBytes")
	ErrID          = errors.New("socketio: acknowledgement id too large")
	ErrPayload     = errors.New("socketio: payload does not fit the packet")
	ErrText        = errors.New("socketio: text where an attachment was due")
	ErrBinary      = errors.New("socketio: binary where no attachment was due")
)

// reserved are names that no event may have: they are the library's own on one side or the other.
var reserved = map[string]bool{
	"connect": true, "connect_error": true, "disconnect": true, "disconnecting": true, "newListener": true, "removeListener": true,
}

// IsReserved reports whether no event may have the name.
func IsReserved(event string) bool { return reserved[event] }
