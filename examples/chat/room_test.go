package main

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

var start = time.UnixMilli(1_700_000_000_000)

const (
	keyAda = "ada-ada-ada-ada-1"
	keyBob = "bob-bob-bob-bob-1"
)

func mustJoin(t *testing.T, r *room, key, nick string) *member {
	t.Helper()
	m, again, err := r.join(key, nick, "polling")
	if err != nil || again {
		t.Fatalf("join %q: again %v, error %v", nick, again, err)
	}
	return m
}

func nicks(r *room) string {
	var list []string
	for _, u := range r.users() {
		list = append(list, u.Nick)
	}
	return strings.Join(list, ",")
}

func TestRoomJoinAndLeave(t *testing.T) {
	r := newRoom(start)
	bob := mustJoin(t, r, keyBob, "bob")
	ada := mustJoin(t, r, keyAda, "  Ada \t Lovelace ")
	if got := nicks(r); got != "Ada Lovelace,bob" {
		t.Errorf("users are %q, want them by name and with folded spaces", got)
	}
	if ada.ID == bob.ID || strings.Contains(ada.ID, "ada") {
		t.Errorf("IDs %q and %q must differ and not show the key", ada.ID, bob.ID)
	}
	r.leave(bob)
	if got := nicks(r); got != "Ada Lovelace" {
		t.Errorf("users are %q after bob left", got)
	}
	if again := mustJoin(t, r, keyBob, "bob"); again.ID != bob.ID {
		t.Errorf("bob came back as %q, was %q", again.ID, bob.ID)
	}
}

func TestRoomColoursDiffer(t *testing.T) {
	r := newRoom(start)
	for i := range 7 {
		mustJoin(t, r, fmt.Sprintf("key-of-somebody-%d", i), fmt.Sprint("n", i))
	}
	for _, a := range r.users() {
		for _, b := range r.users() {
			if a.ID != b.ID && near(a.Hue, b.Hue) {
				t.Errorf("%s has hue %d and %s %d", a.Nick, a.Hue, b.Nick, b.Hue)
			}
		}
	}
	if !near(350, 10) || near(350, 20) || !near(0, 359) {
		t.Error("hues are on a circle")
	}
}

func TestRoomNamesAreUnique(t *testing.T) {
	r := newRoom(start)
	ada := mustJoin(t, r, keyAda, "Ada")
	bob := mustJoin(t, r, keyBob, "Bob")
	if _, _, err := r.join("a-third-key-of-16", "ADA", "polling"); !errors.Is(err, errNickTaken) {
		t.Errorf("joined as a second Ada: %v", err)
	}
	if _, err := r.rename(bob, "aDA"); !errors.Is(err, errNickTaken) {
		t.Errorf("renamed to a second Ada: %v", err)
	}
	if was, err := r.rename(ada, "ADA"); err != nil || was != "Ada" || ada.Nick != "ADA" {
		t.Errorf("Ada may change the case of her own name: was %q, is %q, error %v", was, ada.Nick, err)
	}
}

func TestRoomSameKeyIsSamePerson(t *testing.T) {
	r := newRoom(start)
	ada := mustJoin(t, r, keyAda, "Ada")
	m, again, err := r.join(keyAda, "Ada", "websocket")
	if err != nil || !again || m != ada || m.Transport != "websocket" || len(r.members) != 1 {
		t.Errorf("got %+v, again %v, error %v, %d members", m, again, err, len(r.members))
	}
}

func TestRoomIsBounded(t *testing.T) {
	r := newRoom(start)
	for i := range maxMembers {
		mustJoin(t, r, fmt.Sprintf("key-of-somebody-%d", i), fmt.Sprint("n", i))
	}
	if _, _, err := r.join(keyAda, "Ada", "polling"); !errors.Is(err, errFull) {
		t.Errorf("one more than %d may not come in: %v", maxMembers, err)
	}
	if _, again, err := r.join("key-of-somebody-0", "n0", "polling"); err != nil || !again {
		t.Errorf("who is in a full room may reconnect: again %v, error %v", again, err)
	}
}

func TestRoomRemembersTheLastMessages(t *testing.T) {
	r := newRoom(start)
	ada := mustJoin(t, r, keyAda, "Ada")
	first := uint64(start.UnixMilli()) + 1
	for i := range maxHistory + 7 {
		said, err := r.say(ada, fmt.Sprint("message ", i), fmt.Sprint("ref", i), start)
		if err != nil || said.ID != first+uint64(i) || said.At != start.UnixMilli() || said.User.Nick != "Ada" {
			t.Fatalf("message %d: %+v, %v", i, said, err)
		}
	}
	if len(r.history) != maxHistory || r.history[0].Text != "message 7" || r.last != first+maxHistory+6 {
		t.Errorf("kept %d, from %+v", len(r.history), r.history[0])
	}
	if _, err := r.rename(ada, "Countess"); err != nil || r.history[0].User.Nick != "Ada" {
		t.Errorf("what was said stays under the name it was said with: %q, %v", r.history[0].User.Nick, err)
	}
}

func TestRoomRefusesBadMessages(t *testing.T) {
	r := newRoom(start)
	ada := mustJoin(t, r, keyAda, "Ada")
	for name, c := range map[string]struct {
		text, ref string
		want      error
	}{
		"empty":         {"", "", errEmpty},
		"white":         {" \n\t \r\n", "", errEmpty},
		"invisible":     {"\x00\u202e\u2066", "", errEmpty},
		"long":          {strings.Repeat("€", maxText+1), "", errTooLong},
		"long ref":      {"hi", strings.Repeat("r", maxRef+1), errBadRef},
		"at the bounds": {strings.Repeat("😀", maxText), strings.Repeat("r", maxRef), nil},
	} {
		if _, err := r.say(ada, c.text, c.ref, time.Now()); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
	if len(r.history) != 1 {
		t.Errorf("%d messages kept, want the good one", len(r.history))
	}
}

func TestCleanNick(t *testing.T) {
	for in, want := range map[string]string{
		"Ada":                           "Ada",
		" a  b ":                        "a b",
		"Zoë":                           "Zoë",
		"Zoe\u0308":                     "Zoe\u0308",
		"李雷 😀":                          "李雷 😀",
		strings.Repeat("x", maxNick):    strings.Repeat("x", maxNick),
		"":                              "",
		"   ":                           "",
		strings.Repeat("x", maxNick+1):  "",
		strings.Repeat(" ", 1000) + "x": "",
		"a\x00b":                        "",
		"a\u200bb":                      "",
		"\u202eevil":                    "",
		"a\xffb":                        "",
		"a\u0301\u0301\u0301":           "",
	} {
		got, err := cleanNick(in)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("cleanNick(%q) = %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestCleanText(t *testing.T) {
	for in, want := range map[string]string{
		"hi":                      "hi",
		"\n\n  code\n\tmore \n\n": "  code\n\tmore",
		"a\r\nb\x07c":             "a\nbc",
		"<b>&\u202e":              "<b>&",
		"\u2028":                  "",
	} {
		if got, _ := cleanText(in); got != want {
			t.Errorf("cleanText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestParse(t *testing.T) {
	if r, err := parse([]byte(`{"type":"message","text":"hi","ref":"1","more":[]}`)); err != nil || r.Type != "message" || r.Text != "hi" {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, bad := range []string{"", "hi", "{", "[]", `"hello"`, "7", `{"type":7}`, `{"type":"a"}{}`} {
		if r, err := parse([]byte(bad)); !errors.Is(err, errNotJSON) || r != (request{}) {
			t.Errorf("parse(%q) = %+v, %v", bad, r, err)
		}
	}
}

func TestValidKey(t *testing.T) {
	for key, want := range map[string]bool{
		keyAda: true, strings.Repeat("k", maxKey): true,
		"": false, "short": false, strings.Repeat("k", maxKey+1): false, "with spaces in the key": false, "ключ-ключ-ключ-ключ": false,
	} {
		if got := validKey(key); got != want {
			t.Errorf("validKey(%q) = %v", key, got)
		}
	}
}

func TestRefused(t *testing.T) {
	if got := encode(refused(errEmpty, "r1")); got != `{"type":"error","code":"empty","text":"There is nothing in this message.","ref":"r1"}` {
		t.Error(got)
	}
	if got := refused(errBadRef, strings.Repeat("r", 1000)); got.Ref != "" || got.Code != "bad_ref" {
		t.Errorf("a ref that is too long comes back: %+v", got)
	}
}

func TestLimiter(t *testing.T) {
	var l limiter
	now := start
	for i := range burst {
		if !l.allow(now) {
			t.Fatalf("refused number %d of a burst of %d", i, burst)
		}
	}
	if l.allow(now) {
		t.Error("allowed more than the burst")
	}
	now = now.Add(time.Second)
	allowed := 0
	for range burst {
		if l.allow(now) {
			allowed++
		}
	}
	if allowed != perSecond {
		t.Errorf("allowed %d a second later, want %d", allowed, perSecond)
	}
}
