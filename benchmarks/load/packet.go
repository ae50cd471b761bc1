package main

import (
	"errors"
	"fmt"

	"github.com/fasteio/engineio/benchmarks/internal/stamp"
)

// kind is what a client has to do about a packet.
type kind int

const (
	nothing kind = iota
	echoed       // a message of ours is back, as it was
	pinged       // the server wants a pong
)

// judge looks at a packet of the server.
func judge(packet []byte, check *stamp.Checker) (kind, error) {
	switch {
	case len(packet) == 0:
		return nothing, wrong{errors.New("an empty packet")}
	case packet[0] == '4':
		if err := check.Check(packet[1:]); err != nil {
			return nothing, wrong{err}
		}
		return echoed, nil
	case string(packet) == "2":
		return pinged, nil
	case string(packet) == "1":
		return nothing, errors.New("the server closed the session")
	case packet[0] == '3', packet[0] == '6': // the pong to a beat of revision 3, a noop
		return nothing, nil
	}
	return nothing, wrong{fmt.Errorf("packet %.40q", packet)}
}
