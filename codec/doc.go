// Package codec reads and writes what Engine.IO puts on the wire, revisions 3 and 4:
// single packets for WebSocket, payloads of many packets for HTTP long-polling, and
// the JSONP wrapping of payloads. It does no I/O, keeps no state and imports the
// standard library only.
//
// # Forms
//
// The same two packets, the text "4€" and the binary message 01 02 03 04, in every form:
//
//	V4.AppendMessage   text message "4€", binary message 01 02 03 04
//	V3.AppendMessage   text message "4€", binary message 04 01 02 03 04
//	Text4              4€ 0x1e bAQIDBA==
//	Text3              2:4€10:b4AQIDBA==
//	Binary3            00 04 ff 34 e2 82 ac  01 05 ff 04 01 02 03 04
//
// # Ownership
//
// Encoders append to a slice of the caller and keep nothing. Decoders return packets
// whose Data aliases the input, and they decode base64 and forms in place: the input
// belongs to the decoder until the packets have been used, and its bytes are overwritten.
// Nothing here allocates, except an append beyond the capacity of its destination.
//
// # Errors
//
// Every error of a decoder satisfies errors.Is(err, [ErrParse]), but for the io.EOF that
// ends a payload. Encoders do not fail; what they expect of a packet is said at [Packet].
//
// All functions may be called concurrently; a [Decoder] or a [Buffer] belongs to one
// goroutine at a time.
package codec
