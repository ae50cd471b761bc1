package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A plan is all that a visit is going to do, drawn from its own generator.
type plan struct {
	wave, client, round int

	stack    int
	revision codec.Revision
	way      enginetest.Way
	deflate  bool   // offers permessage-deflate
	encoding string // Accept-Encoding
	base64   bool   // wants binary as base64
	fault    *fault // nil for a client that keeps the rules
	leaving  leaving
	rng      *rand.Rand // the client's, for sizes and pauses
}

// How a visit ends that nothing else has ended.
type leaving int

const (
	leavePacket     leaving = iota // the client sends a close packet
	leaveFrame                     // the client sends a close frame, or a packet on long-polling
	leaveClose                     // the server calls Close
	leaveDisconnect                // the server calls Disconnect
	leaveNow                       // the server calls CloseNow
	leavings
)

func (p plan) stream() uint64 {
	return uint64(p.wave)<<56 | uint64(p.client)<<32 | uint64(p.round)
}

// draw makes the plan of a client's next visit.
func draw(seed uint64, wave, client, round int) plan {
	p := plan{wave: wave, client: client, round: round}
	rng := rand.New(rand.NewPCG(seed, p.stream()))
	p.rng = rng
	p.revision = enginetest.Revisions[rng.IntN(2)]
	p.stack = rng.IntN(len(flavours))
	p.way = enginetest.Ways[rng.IntN(3)]
	if client%4 != 0 { // every fourth client is well-behaved
		p.fault = &faults[rng.IntN(len(faults))]
		p.way = p.fault.ways[rng.IntN(len(p.fault.ways))]
		if p.fault.revision != 0 {
			p.revision = p.fault.revision
		}
	}
	for p.behaves() && !flavours[p.stack].fair() {
		p.stack = rng.IntN(len(flavours))
	}
	p.deflate = rng.IntN(2) == 0
	p.encoding = []string{"", "gzip", "deflate", "br", "zstd", "gzip, br;q=0.5"}[rng.IntN(6)]
	p.base64 = rng.IntN(6) == 0
	p.leaving = leaving(rng.IntN(int(leavings)))
	return p
}

// behaves tells whether the visit is to end in good order, whatever was done in it.
func (p plan) behaves() bool { return p.fault == nil || p.fault.harmless }

// fits are the reasons that the session may end with.
func (p plan) fits() []engineio.Reason {
	var fits []engineio.Reason
	if p.fault != nil {
		fits = append(fits, p.fault.fits...)
		if flavours[p.stack].ends() {
			fits = append(fits, slowClient)
		}
		if flavours[p.stack].narrow {
			fits = append(fits, stalled)
		}
	}
	switch {
	case p.behaves():
		fits = append(fits, p.leaving.reason())
	case p.fault.survives:
		fits = append(fits, engineio.ReasonClientClose)
	}
	return fits
}

func (l leaving) reason() engineio.Reason {
	if l == leavePacket || l == leaveFrame {
		return engineio.ReasonClientClose
	}
	return engineio.ReasonServerClose
}

// heartbeat is patient with clients that are to live, since the machine may be slow.
func (p plan) heartbeat() (interval, timeout time.Duration) {
	if p.fault != nil && p.fault.hasty {
		return 300 * time.Millisecond, 1200 * time.Millisecond
	}
	return time.Second, lifetime
}

// String names the visit and what it does.
func (p plan) String() string {
	deed := "nothing wrong"
	if p.fault != nil {
		deed = p.fault.name
	}
	return fmt.Sprintf("wave %d client %d round %d (EIO %d, %s, does %s, leaves %d)",
		p.wave, p.client, p.round, p.revision, p.way, deed, p.leaving)
}
