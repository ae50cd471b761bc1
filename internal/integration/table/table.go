package table

import (
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// Stack is something that an engine can be mounted in.
type Stack struct {
	// Name is that of the tests.
	Name string
	// Start makes an engine of the configuration, or several that are one, and serves it under the setting. Requests
	// for other paths are answered with Elsewhere and the body that they brought.
	Start func(*testing.T, engineio.Config, Setting) *Site
	// Framework says that the stack has the settings of a web framework, Setting.App.
	Framework bool
}

// Site is what a Stack has started. It ends with the test.
type Site struct {
	// Servers are the engines, one or more.
	Servers []*engineio.Server
	// HTTP is where clients connect.
	HTTP *enginetest.Server
}

// Elsewhere begins the answers to requests that are not the engine's.
const Elsewhere = "elsewhere "

// Run tests every behaviour on a stack, under each of Settings that fits and under more of the stack's own.
func Run(t *testing.T, stack Stack, more ...Setting) {
	for _, s := range append(Settings[:len(Settings):len(Settings)], more...) {
		if s.App != (App{}) && !stack.Framework {
			continue
		}
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			for _, b := range behaviours {
				t.Run(b.name, func(t *testing.T) {
					t.Parallel()
					b.test(t, place{stack, s})
				})
			}
		})
	}
}

// A place is where a behaviour is tested.
type place struct {
	stack   Stack
	setting Setting
}

var behaviours = []struct {
	name string
	test func(*testing.T, place)
}{
	{"polling", polling},
	{"packets of one POST", packetsOfOnePost},
	{"JSONP", jsonp},
	{"framing of requests", framing},
	{"payload limits", payloadLimits},
	{"header limit", headerLimit},
	{"WebSocket", webSocket},
	{"WebSocket frames", webSocketFrames},
	{"permessage-deflate", perMessageDeflate},
	{"upgrade", upgrade},
	{"upgrade that fails", upgradeThatFails},
	{"close by the client", closeByTheClient},
	{"close by the server", closeByTheServer},
	{"lost WebSocket", lostWebSocket},
	{"aborted poll", abortedPoll},
	{"overlapping polls", overlappingPolls},
	{"heartbeat", heartbeat},
	{"ping timeout", pingTimeout},
	{"origins", origins},
	{"preflight", preflight},
	{"forwarded", forwarded},
	{"compression", compression},
	{"refusals", refusals},
	{"other routes", otherRoutes},
	{"Shutdown", shutdown},
	{"Shutdown of the HTTP server", shutdownOfTheHTTPServer},
}
