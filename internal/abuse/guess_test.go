package abuse

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/fasteio/engineio/internal/enginetest"
)

// guesses are ids that are nearly that of a session, or nothing like one.
func guesses(sid string) []string {
	flipped := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, sid)
	return []string{
		sid[:len(sid)-1], sid[1:], sid + "A", sid + "=", sid + "%00", "%00" + sid, "+" + sid, sid + "%20", sid + "/", sid + ".",
		flipped, strings.ToLower(sid) + "~", sid + sid, sid + "%0d%0a", sid + ";", sid + ",", sid + "%26", "%2525" + sid,
		strings.Repeat("A", 20), strings.Repeat("A", 8000), "%00", "*", "null", "undefined", "0", "__proto__", "constructor", "toString",
		"..%2f" + sid, "%ff%fe", "' OR '1'='1", sid[:10] + "%" + sid[10:],
	}
}

// A guess is refused like any other, on every way in, and has no effect on the session that it is close to.
func TestGuessesNearASession(t *testing.T) {
	attack(t, spec{}, 1, 10, func(t *testing.T, x *target, n int) {
		p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
		all := guesses(p.Handshake().SID)
		x.struck = 3 * n * len(all)
		before := x.counts(t)
		for i := range n * len(all) {
			guess := strings.ReplaceAll(all[i%len(all)], " ", "%20")
			w := x.wire(t)
			for _, text := range []string{
				request("GET", openPath+"&sid="+guess, ""),
				request("POST", openPath+"&sid="+guess, "4stolen"),
				upgradeRequest(webSocketPath + "&sid=" + guess),
			} {
				if a := w.exchange(t, text); a.status != 400 || a.body != unknownSession {
					t.Errorf("%.60q is answered %+v", guess, a)
				}
			}
			w.end()
		}
		if got := x.counts(t).Refused["400/1"] - before.Refused["400/1"]; got != x.struck {
			t.Errorf("%d refused, want %d", got, x.struck)
		}
		leave(t, x, p)
	})
}

// The id may be escaped as any query may: it is the same then.
func TestEscapedSessionID(t *testing.T) {
	attack(t, spec{}, 5, 50, func(t *testing.T, x *target, n int) {
		for range n {
			p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
			w := x.wire(t)
			escaped := ""
			for _, c := range []byte(p.Handshake().SID) {
				escaped += fmt.Sprintf("%%%02x", c)
			}
			if a := w.exchange(t, request("POST", openPath+"&sid="+escaped, "4escaped")); a.status != 200 {
				t.Errorf("answered %+v", a)
			}
			if packet, err := enginetest.Next(p); err != nil || string(packet.Data) != "escaped" {
				t.Errorf("%q, %v", packet.Data, err)
			}
			w.end()
			leave(t, x, p)
		}
	})
}

// An id that is empty is none: a handshake, or for a POST a refusal.
func TestEmptySessionID(t *testing.T) {
	attack(t, spec{}, 5, 50, func(t *testing.T, x *target, n int) {
		for range n {
			w := x.wire(t)
			if a := w.exchange(t, request("GET", openPath+"&sid=", "")); a.status != 200 {
				t.Errorf("a GET is answered %+v", a)
			}
			if a := w.exchange(t, request("POST", openPath+"&sid=", "4a")); a.status != 400 || !strings.Contains(a.body, `"code":2`) {
				t.Errorf("a POST is answered %+v", a)
			}
			w.end()
		}
		x.tell(t, commandClose)
	})
}

// A hundred thousand random ids of the right form are all refused, and leave nothing behind.
func TestBruteForce(t *testing.T) {
	attack(t, spec{}, 1600, 100_000, func(t *testing.T, x *target, n int) {
		c := enginetest.Connect(t, x.http(), enginetest.Setup{})
		before := x.counts(t)
		const lines, batch = 8, 20
		err := crowd(lines, lines, func(int) error {
			w, err := x.dial()
			if err != nil {
				return err
			}
			defer w.end()
			for range n / lines / batch {
				var text strings.Builder
				for range batch {
					var id [15]byte
					_, _ = rand.Read(id[:]) // never fails
					text.WriteString(request("GET", openPath+"&sid="+base64.RawURLEncoding.EncodeToString(id[:]), ""))
				}
				if _, err := io.WriteString(w, text.String()); err != nil {
					return err
				}
				for range batch {
					if a, err := w.read("GET"); err != nil || a.status != 400 || a.body != unknownSession {
						return fmt.Errorf("answered %+v, %w", a, err)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := x.counts(t).Refused["400/1"] - before.Refused["400/1"]; got != n {
			t.Errorf("%d refused, want %d", got, n)
		}
		leave(t, x, c)
	})
}
