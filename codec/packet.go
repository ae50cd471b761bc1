package codec

import "strconv"

// Revision is the revision of the protocol, the EIO parameter of a request. Only [V3]
// and [V4] exist; methods take every other value for V4.
type Revision uint8

// The revisions of the protocol.
const (
	V3 Revision = 3 // engine.io 1 to 3, Socket.IO 1 and 2: the client pings
	V4 Revision = 4 // engine.io 4 and later, Socket.IO 3 and later: the server pings
)

// Type is the type of a packet, as the ASCII digit that text forms begin with.
type Type byte

// The packet types.
const (
	Open    Type = '0' + iota // handshake, data is JSON
	Close                     // the transport can be closed
	Ping                      // heartbeat, or "probe" in an upgrade
	Pong                      // answer to Ping, with its data
	Message                   // data of the application
	Upgrade                   // the client moves to the probed transport
	Noop                      // ends a poll that has nothing to say
)

// typeNames is indexed by Type - Open.
var typeNames = [...]string{"open", "close", "ping", "pong", "message", "upgrade", "noop"}

// String returns the name of the type in the specification, such as "message", and
// "Type(n)" for a value that is not one.
func (t Type) String() string {
	if !t.known() {
		return "Type(" + strconv.Itoa(int(t)) + ")"
	}
	return typeNames[t-Open]
}

func (t Type) known() bool { return t >= Open && t <= Noop }

// Packet is the unit of the protocol.
//
// Encoders trust it: Type is one of the constants and the Data of a text packet is valid
// UTF-8. A binary packet is always a [Message], so encoders do not look at the Type of a
// packet with Binary set. Decoders return packets for which all of this holds.
type Packet struct {
	// Type is the type of the packet.
	Type Type
	// Binary says that Data is bytes rather than text. Only a Message can be binary.
	Binary bool
	// Data is what follows the type; it may be empty. In a decoded packet it aliases the
	// input of the decoder, so it is valid as long as that is; its capacity ends with it,
	// so appending to it does not reach the next packet.
	Data []byte
}
