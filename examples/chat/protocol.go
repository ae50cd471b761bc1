package main

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds on what a client may send and on what the room keeps. Everything that arrives is
// measured against them; the page learns those it needs from the welcome.
const (
	maxNick    = 24        // characters in a nickname
	maxText    = 2000      // characters in a message
	maxRef     = 40        // bytes in the mark a client puts on its own message
	minKey     = 16        // bytes in the secret that lets a client come back as itself
	maxKey     = 64        //
	maxHistory = 50        // messages a newcomer gets to see
	maxMembers = 500       // people in the room
	maxPayload = 64 * 1024 // bytes in a packet, or in all packets of one POST
)

// request is what a client says. Type is hello, nick, message or typing; the other fields
// belong to some of them.
type request struct {
	Type string `json:"type"`
	Nick string `json:"nick"` // hello, nick
	Key  string `json:"key"`  // hello: a secret the client made up, the same on each reconnect
	Text string `json:"text"` // message
	Ref  string `json:"ref"`  // message: comes back with it, so that the author knows it arrived
}

// event is what the room says. Type is welcome, join, leave, rename, transport, typing,
// message or error; empty fields stay out of the JSON.
type event struct {
	Type     string    `json:"type"`
	At       int64     `json:"at,omitempty"` // milliseconds since 1970
	User     *user     `json:"user,omitempty"`
	Was      string    `json:"was,omitempty"`    // rename: the name before
	Reason   string    `json:"reason,omitempty"` // leave: why the connection ended
	Message  *message  `json:"message,omitempty"`
	Users    []user    `json:"users,omitempty"`    // welcome: who is here, the newcomer too
	Messages []message `json:"messages,omitempty"` // welcome: the last ones, oldest first
	Limits   *limits   `json:"limits,omitempty"`   // welcome
	Code     string    `json:"code,omitempty"`     // error
	Text     string    `json:"text,omitempty"`     // error: a sentence for people
	Ref      string    `json:"ref,omitempty"`      // error: the message that was refused
}

// user is a person as the others see them.
type user struct {
	ID        string `json:"id"` // follows from the key and does not give it away
	Nick      string `json:"nick"`
	Hue       int    `json:"hue"` // of their colour, in degrees
	Transport string `json:"transport,omitempty"`
}

type message struct {
	ID   uint64 `json:"id"`
	User user   `json:"user"`
	Text string `json:"text"`
	At   int64  `json:"at"` // milliseconds since 1970
	Ref  string `json:"ref,omitempty"`
}

type limits struct {
	Nick int `json:"nick"`
	Text int `json:"text"`
}

// refusal is an answer to a client that asked for something it cannot have.
type refusal struct{ code, text string }

func (r *refusal) Error() string { return r.text }

var (
	errNotJSON     = &refusal{"bad_json", "That was not a JSON object this chat understands."}
	errBinary      = &refusal{"binary", "This chat speaks JSON in text messages only."}
	errUnknownType = &refusal{"unknown_type", "The type must be hello, nick, message or typing."}
	errNoHello     = &refusal{"hello_first", "Say hello with a nickname first."}
	errHelloTwice  = &refusal{"hello_twice", "You are in the room already."}
	errBadKey      = &refusal{"bad_key", "The key must have 16 to 64 letters, digits, - or _."}
	errBadNick     = &refusal{"bad_nick", "A nickname has 1 to 24 visible characters."}
	errNickTaken   = &refusal{"nick_taken", "Somebody here has this name already."}
	errEmpty       = &refusal{"empty", "There is nothing in this message."}
	errTooLong     = &refusal{"too_long", "A message has at most 2000 characters."}
	errBadRef      = &refusal{"bad_ref", "The ref must have at most 40 bytes."}
	errTooFast     = &refusal{"too_fast", "That was a bit too much at once. Wait a second."}
	errFull        = &refusal{"full", "The room is full."}
	errReplaced    = &refusal{"replaced", "This chat goes on in another window."}
)

func parse(data []byte) (request, error) {
	var r request
	if json.Unmarshal(data, &r) != nil {
		return request{}, errNotJSON
	}
	return r, nil
}

// refused makes the event that tells a client why not.
func refused(err error, ref string) event {
	var r *refusal
	if !errors.As(err, &r) {
		r = errNotJSON
	}
	if len(ref) > maxRef {
		ref = ""
	}
	return event{Type: "error", Code: r.code, Text: r.text, Ref: ref}
}

// encode cannot fail: an event is made of strings and numbers.
func encode(e event) string {
	b, err := json.Marshal(e)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// cleanNick folds white space and refuses what cannot be seen or would garble the line it stands in.
func cleanNick(s string) (string, error) {
	if len(s) > 16*maxNick {
		return "", errBadNick
	}
	s = strings.Join(strings.Fields(s), " ")
	if n := utf8.RuneCountInString(s); n == 0 || n > maxNick {
		return "", errBadNick
	}
	marks := 0
	for _, c := range s {
		if unicode.Is(unicode.Mn, c) || unicode.Is(unicode.Me, c) {
			marks++ // accents are fine, towers of them are not
		} else {
			marks = 0
		}
		if !unicode.IsGraphic(c) || c == utf8.RuneError || marks > 2 {
			return "", errBadNick
		}
	}
	return s, nil
}

// cleanText drops control characters but line breaks and tabs, and the characters that
// turn the direction of the text after them.
func cleanText(s string) (string, error) {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.Map(func(c rune) rune {
		switch {
		case c == '\n' || c == '\t':
			return c
		case unicode.IsControl(c), c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069:
			return -1
		}
		return c
	}, s)
	s = strings.TrimRight(strings.TrimLeft(s, "\n"), " \t\n")
	if strings.TrimSpace(s) == "" {
		return "", errEmpty
	}
	if utf8.RuneCountInString(s) > maxText {
		return "", errTooLong
	}
	return s, nil
}

func validKey(s string) bool {
	if len(s) < minKey || len(s) > maxKey {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
