package client_test

import (
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

// A conversion between the Reason of the server and of the client compiles, so it must not lie.
func TestReasonsAreThoseOfTheServer(t *testing.T) {
	for theirs, ours := range map[engineio.Reason]client.Reason{
		engineio.ReasonServerClose:    client.ReasonServerClose,
		engineio.ReasonClientClose:    client.ReasonClientClose,
		engineio.ReasonTransportClose: client.ReasonTransportClose,
		engineio.ReasonTransportError: client.ReasonTransportError,
		engineio.ReasonPingTimeout:    client.ReasonPingTimeout,
		engineio.ReasonParseError:     client.ReasonParseError,
		engineio.ReasonTooBig:         client.ReasonTooBig,
	} {
		if client.Reason(theirs) != ours || theirs.String() != ours.String() {
			t.Errorf("%v is %d, the server's is %d", ours, ours, theirs)
		}
	}
}

func TestInitiators(t *testing.T) {
	for reason, want := range map[client.Reason]client.Initiator{
		client.ReasonServerClose:    client.InitiatorServer,
		client.ReasonClientClose:    client.InitiatorClient,
		client.ReasonTransportClose: client.InitiatorNetwork,
		client.ReasonTransportError: client.InitiatorClient,
		client.ReasonPingTimeout:    client.InitiatorNetwork,
		client.ReasonParseError:     client.InitiatorClient,
		client.ReasonTooBig:         client.InitiatorClient,
		0:                           0,
		77:                          0,
	} {
		if got := reason.Initiator(); got != want {
			t.Errorf("%v: %v, want %v", reason, got, want)
		}
	}
}

func TestUnknownValuesAreShown(t *testing.T) {
	for got, want := range map[string]string{
		client.Reason(77).String():        "Reason(77)",
		client.Reason(0).String():         "Reason(0)",
		client.Transport(5).String():      "Transport(5)",
		client.Initiator(9).String():      "Initiator(9)",
		client.InitiatorNetwork.String():  "network",
		client.ReasonPingTimeout.String(): "ping timeout",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
