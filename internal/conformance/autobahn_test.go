package conformance_test

import (
	"slices"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// An exercise is a case of the Autobahn suite, by its number there, with what else belongs to it.
type exercise struct {
	id   string
	play func(p *peer)
}

// The suite's groups 1 to 7, and 9. Its messages become messages of Engine.IO: text gets the type in front,
// binary travels as it is. An exercise that leaves the connection open closes it in good order.
func TestAutobahn(t *testing.T) {
	t.Parallel()
	config := engineio.Config{PingInterval: time.Hour}
	serveEcho(t, config, enginetest.Options{}, func(t *testing.T, s *enginetest.Server) {
		for _, x := range slices.Concat(framing, pings, reservedBits, opcodes, fragmentation, utf8Handling, closeHandling) {
			x.run(t, s)
		}
		for i, x := range limits {
			if half := t.Name() == "TestAutobahn/fiber"; !raceEnabled || half == (i%2 > 0) {
				x.run(t, s)
			}
		}
	})
}

func (x exercise) run(t *testing.T, s *enginetest.Server, header ...string) {
	t.Run(x.id, func(t *testing.T) {
		p := dial(t, s, header...)
		x.play(p)
		p.goodbye()
	})
}
