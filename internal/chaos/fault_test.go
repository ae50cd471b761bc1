package chaos_test

import (
	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A fault is something that a client, or the application, does wrong in a visit, or does in an unusual way.
type fault struct {
	name     string
	ways     []enginetest.Way
	revision codec.Revision // the only one, 0 for both
	act      func(c *client) error
	early    bool // act wants long-polling, and comes before the upgrade if there is one

	fits     []engineio.Reason // that the session may end with for it
	harmless bool              // the session goes on as if nothing had been
	survives bool              // it may go on, but what was under way is lost
	hasty    bool              // the heartbeat is short, since silence is part of it

	opens   func(c *client) error // in place of all the rest
	refused bool                  // by OnHandshake
	panics  string                // the callback that does
}

var (
	polling  = []enginetest.Way{enginetest.ByPolling}
	sockets  = []enginetest.Way{enginetest.ByWebSocket, enginetest.ByUpgrade}
	upgraded = []enginetest.Way{enginetest.ByUpgrade}
	upgrades = []enginetest.Way{enginetest.ByPolling, enginetest.ByUpgrade}
	anyhow   = enginetest.Ways
)

func reasons(r ...engineio.Reason) []engineio.Reason { return r }

// The reasons, shorter.
const (
	serverClose    = engineio.ReasonServerClose
	transportClose = engineio.ReasonTransportClose
	transportError = engineio.ReasonTransportError
	pingTimeout    = engineio.ReasonPingTimeout
	parseError     = engineio.ReasonParseError
	tooBig         = engineio.ReasonTooBig
	slowClient     = engineio.ReasonSlowClient
	panicked       = engineio.ReasonPanic
	stalled        = engineio.ReasonStalled
)

var faults = concat(pollFaults, socketFaults, upgradeFaults, commonFaults)

func concat(lists ...[]fault) (all []fault) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

var commonFaults = []fault{
	{name: "panic in OnMessage", ways: anyhow, fits: reasons(panicked), act: ordering(orderPanic)},
	{name: "panic in OnConnect", ways: anyhow, fits: reasons(panicked), panics: "OnConnect"},
	{name: "panic in OnUpgrade", ways: upgraded, fits: reasons(panicked), panics: "OnUpgrade"},
	{name: "Close in the middle", ways: anyhow, fits: reasons(serverClose), act: ordering(orderLater)},
	{name: "CloseNow in the middle", ways: anyhow, fits: reasons(serverClose), act: ordering(orderLaterNow)},
	{name: "heartbeat in the wrong direction", ways: anyhow, fits: reasons(transportError), act: wrongBeat},
	{name: "no heartbeat", ways: anyhow, hasty: true, fits: reasons(pingTimeout), act: goMute},
	{name: "vanishing", ways: anyhow, hasty: true, fits: reasons(pingTimeout), act: vanish},
	{name: "refused handshake", ways: anyhow, refused: true},
	{
		name: "aborted handshake", ways: anyhow, hasty: true, opens: abortOpening,
		fits: reasons(pingTimeout, transportClose),
	},
	{name: "strange requests", ways: anyhow, harmless: true, early: true, act: strangeRequests},
}

var upgradeFaults = []fault{
	{name: "aborted upgrade", ways: upgrades, early: true, harmless: true, act: abortUpgrade},
	{name: "held upgrade", ways: upgrades, early: true, harmless: true, act: holdUpgrade},
	{name: "two upgrades at once", ways: upgrades, early: true, harmless: true, act: twoUpgrades},
	{name: "upgrade of a WebSocket", ways: sockets, harmless: true, act: lateUpgrade},
	{name: "eager upgrade", ways: upgraded, harmless: true},
	{
		name: "reset behind the 5", ways: polling, early: true, hasty: true, act: lostUpgrade,
		fits: reasons(transportClose, pingTimeout),
	},
}

var pollFaults = []fault{
	{name: "overlapping GET", ways: polling, fits: reasons(transportError), act: overlapGet},
	{name: "overlapping POST", ways: polling, fits: reasons(transportError), act: overlapPost},
	{
		name: "GET given up by FIN, RST or half-close", ways: polling, hasty: true, act: abortGet,
		fits: reasons(transportClose, pingTimeout),
	},
	{
		name: "reset in the middle of a response", ways: polling, survives: true, hasty: true, act: resetResponse,
		fits: reasons(transportClose, pingTimeout, slowClient),
	},
	{name: "stalled response", ways: upgrades, early: true, harmless: true, act: stallResponse},
	{name: "truncated POST", ways: upgrades, early: true, harmless: true, act: truncatePost},
	{name: "POST byte by byte", ways: upgrades, early: true, harmless: true, act: slowPost},
	{name: "repeated POST", ways: upgrades, early: true, harmless: true, act: repeatPost},
	{name: "POST above MaxPayload", ways: upgrades, early: true, harmless: true, act: bigPost},
	{name: "POST without a packet", ways: polling, fits: reasons(parseError), act: garbagePost},
	{name: "binary POST", ways: polling, revision: codec.V4, fits: reasons(transportError), act: binaryPost},
}

var socketFaults = []fault{
	{name: "RST", ways: sockets, fits: reasons(transportClose), act: resetSocket},
	{name: "closed TCP", ways: sockets, fits: reasons(transportClose), act: closeSocket},
	{name: "half-close", ways: sockets, fits: reasons(transportClose), act: halfCloseSocket},
	{
		name: "RST in the middle of a frame", ways: sockets, act: cutFrame,
		fits: reasons(transportClose),
	},
	{name: "FIN in the middle of a frame", ways: sockets, fits: reasons(transportClose), act: endFrame},
	{name: "unmasked frame", ways: sockets, fits: reasons(transportError), act: writing([]byte{fin | opText, 1, '6'})},
	{name: "reserved bit", ways: sockets, fits: reasons(transportError), act: framing(fin|reserved2|opText, "6")},
	{name: "unknown opcode", ways: sockets, fits: reasons(transportError), act: framing(fin|opBad, "6")},
	{name: "continuation of nothing", ways: sockets, fits: reasons(transportError), act: framing(fin|opMore, "6")},
	{name: "fragmented ping", ways: sockets, fits: reasons(transportError), act: framing(opPing, "6")},
	{name: "bad UTF-8", ways: sockets, fits: reasons(transportError), act: framing(fin|opText, "4\xff\xfe")},
	{name: "bad close code", ways: sockets, fits: reasons(transportError), act: framing(fin|opClose, "\x00\x01")},
	{name: "frame without a packet", ways: sockets, fits: reasons(parseError), act: framing(fin|opText, "x")},
	{name: "empty frame", ways: sockets, fits: reasons(parseError), act: framing(fin|opText, "")},
	{name: "message above MaxPayload", ways: sockets, fits: reasons(tooBig), act: bigFrame},
	{name: "fragments with pings between", ways: sockets, harmless: true, act: fragments},
	{name: "WebSocket pings and pongs", ways: sockets, harmless: true, act: socketPings},
	{name: "stalled reading", ways: sockets, harmless: true, act: stallSocket},
	{
		name: "stalled reading for good", ways: sockets, hasty: true, act: stallForGood,
		fits: reasons(pingTimeout, stalled, slowClient),
	},
}

// ordering has the application do something.
func ordering(order byte) func(*client) error {
	return func(c *client) error {
		if err := c.order(order); err != nil {
			return err
		}
		return c.exchange(c.rng.IntN(5))
	}
}
