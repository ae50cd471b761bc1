package abuse

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/fasteio/engineio/internal/enginetest"
)

const (
	upgradeFailed = "upgrade failed"
	hasWebSocket  = "session has a WebSocket"
)

// probe opens a WebSocket for a session and says something on it, frames or nothing.
func (x *target) probe(sid, say string) (*wire, error) {
	w, err := x.dial()
	if err != nil {
		return nil, err
	}
	if _, err = io.WriteString(w, upgradeRequest(webSocketPath+"&sid="+sid)+say); err == nil {
		err = w.upgraded()
	}
	if err != nil {
		w.end()
		return nil, err
	}
	return w, nil
}

// refusedProbe is probe up to its end, which must be that.
func (x *target) refusedProbe(sid, say, answer string, whys ...string) (why string, err error) {
	w, err := x.probe(sid, say)
	if err != nil {
		return "", err
	}
	defer w.end()
	messages, code, why, err := w.until()
	if err != nil || code != 1002 || !strings.Contains(strings.Join(whys, "|"), why) || strings.Join(messages, "") != answer {
		return why, fmt.Errorf("closed with %d %q after %q, %v; want %q after %q", code, why, messages, err, whys, answer)
	}
	return why, nil
}

// Of many WebSockets for one session at most one at a time gets to the probe. The others are closed at once,
// that one with UpgradeTimeout, and the session goes on as before and can still be upgraded.
func TestUpgradesOfOneSession(t *testing.T) {
	attack(t, spec{}, 40, 1000, func(t *testing.T, x *target, n int) {
		p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
		reasons := make(chan string, n)
		err := crowd(n, n, func(int) error {
			why, err := x.refusedProbe(p.Handshake().SID, "", "", upgradeFailed, hasWebSocket)
			reasons <- why
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		close(reasons)
		count := map[string]int{}
		for why := range reasons {
			count[why]++
		}
		if count[upgradeFailed] < 1 || count[upgradeFailed] > n/4 {
			t.Errorf("closed by %v, want one with UpgradeTimeout and few others", count)
		}
		echoes(t, p, enginetest.Text("on polling"))
		w, err := p.Upgrade()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		leave(t, x, w)
	})
}

// Upgrades that go no further are released with UpgradeTimeout, and those that go wrong at once. Each leaves
// its session where it was.
func TestUpgradesThatGoNoFurther(t *testing.T) {
	probe := frame(fin|opText, "2probe")
	says := []struct{ name, say, answer string }{
		{"nothing", "", ""},
		{"probe", probe, "3probe"},
		{"probe after probe", probe + probe, "3probe3probe"},
		{"half a probe", probe[:3], ""},
		{"half a message", probe + frame(opText, "5"), "3probe"},
		{"pings", frame(fin|opPing, "x") + frame(fin|opPing, "y"), "xy"},
		{"5 without probe, in base64", frame(fin|opText, "b5"), ""},
		{"a message", probe + frame(fin|opText, "4stolen"), "3probe"},
		{"an invalid frame", probe + frame(fin|rsv3|opText, "5"), "3probe"},
		{"a large message", frame(fin|opText, "2"+strings.Repeat("x", maxPayload)), ""},
		{"goodbye", probe + frame(fin|opClose, closing(1000, "")), "3probe"},
		{"HTTP", request("GET", openPath, ""), ""},
	}
	attack(t, spec{}, 2, 50, func(t *testing.T, x *target, n int) {
		x.struck = n * len(says)
		sessions := make([]*enginetest.Polling, x.struck)
		done := make(chan error, 1)
		go func() {
			done <- crowd(x.struck, x.struck, func(i int) (err error) {
				say := says[i%len(says)]
				if sessions[i], err = x.http().DialPolling(enginetest.Setup{}); err != nil {
					return err
				}
				if _, err := x.refusedProbe(sessions[i].Handshake().SID, say.say, say.answer, upgradeFailed); err != nil {
					return fmt.Errorf("%s: %w", say.name, err)
				}
				return nil
			})
		}()
		served(t, x)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		for _, p := range sessions {
			leave(t, x, p)
		}
	})
}

// A session that is on WebSocket keeps it, however many others come for it.
func TestUpgradesOfAnUpgradedSession(t *testing.T) {
	attack(t, spec{}, 40, 1000, func(t *testing.T, x *target, n int) {
		for _, way := range enginetest.Ways[1:] {
			c := enginetest.Connect(t, x.http(), enginetest.Setup{Way: way})
			echoes(t, c, enginetest.Text("upgraded"))
			err := crowd(n/2, 8, func(int) error {
				_, err := x.refusedProbe(c.Handshake().SID, frame(fin|opText, "2probe")+frame(fin|opText, "5"), "", hasWebSocket)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			leave(t, x, c)
		}
	})
}

// Upgrades of nobody's session are refused before anything else happens.
func TestUpgradesOfUnknownSessions(t *testing.T) {
	attack(t, spec{}, 200, 10_000, func(t *testing.T, x *target, n int) {
		before := x.counts(t)
		err := crowd(n, 8, func(i int) error {
			w, err := x.dial()
			if err != nil {
				return err
			}
			defer w.end()
			text := upgradeRequest(fmt.Sprintf("%s&sid=nobody%d", webSocketPath, i), hangUp) + frame(fin|opText, "2probe")
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
			all, err := w.all("GET")
			if err == nil && (len(all) != 1 || all[0].status != 400 || all[0].body != unknownSession) {
				err = fmt.Errorf("answered %+v", all)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := x.counts(t).Refused["400/1"] - before.Refused["400/1"]; got != n {
			t.Errorf("%d refused, want %d", got, n)
		}
	})
}
