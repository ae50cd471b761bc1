package main

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"time"
)

// room is who is here and what was said last. It knows nothing of connections, and it is not
// safe for concurrent use: chat guards it.
type room struct {
	members map[string]*member // by key
	history []message          // oldest first, at most maxHistory
	last    uint64             // the ID of the newest message; it rises over restarts too
}

type member struct {
	user
	key string
}

// newRoom numbers messages from the clock, so that a page that stays open over a restart of the
// server can tell the new ones from those it has.
func newRoom(now time.Time) *room {
	return &room{members: make(map[string]*member), last: uint64(now.UnixMilli())}
}

// join lets a person in. Somebody who is here already under the same key is the same person on a
// new connection: again is true, and the others need not hear of it unless the name changed.
func (r *room) join(key, nick, transport string) (m *member, again bool, err error) {
	if !validKey(key) {
		return nil, false, errBadKey
	}
	nick, err = cleanNick(nick)
	if err != nil {
		return nil, false, err
	}
	m, again = r.members[key]
	switch {
	case r.taken(nick, m):
		return nil, false, errNickTaken
	case again:
		m.Nick, m.Transport = nick, transport
		return m, true, nil
	case len(r.members) >= maxMembers:
		return nil, false, errFull
	}
	sum := sha256.Sum256([]byte(key))
	m = &member{key: key, user: user{
		ID:        hex.EncodeToString(sum[:8]),
		Nick:      nick,
		Hue:       r.hue(int(sum[8])<<8 | int(sum[9])),
		Transport: transport,
	}}
	r.members[key] = m
	return m, false, nil
}

func (r *room) leave(m *member) { delete(r.members, m.key) }

// rename gives m another name and returns the one before.
func (r *room) rename(m *member, nick string) (was string, err error) {
	nick, err = cleanNick(nick)
	if err != nil {
		return "", err
	}
	if r.taken(nick, m) {
		return "", errNickTaken
	}
	was, m.Nick = m.Nick, nick
	return was, nil
}

// say adds a message to the history, which forgets the oldest.
func (r *room) say(m *member, text, ref string, now time.Time) (message, error) {
	if len(ref) > maxRef {
		return message{}, errBadRef
	}
	text, err := cleanText(text)
	if err != nil {
		return message{}, err
	}
	r.last++
	said := message{ID: r.last, User: user{ID: m.ID, Nick: m.Nick, Hue: m.Hue}, Text: text, At: now.UnixMilli(), Ref: ref}
	if len(r.history) == maxHistory {
		r.history = slices.Delete(r.history, 0, 1)
	}
	r.history = append(r.history, said)
	return said, nil
}

// users returns who is here, by name.
func (r *room) users() []user {
	list := make([]user, 0, len(r.members))
	for _, m := range r.members {
		list = append(list, m.user)
	}
	slices.SortFunc(list, func(a, b user) int {
		return strings.Compare(strings.ToLower(a.Nick), strings.ToLower(b.Nick))
	})
	return list
}

// hue picks a colour by the seed, and another one when somebody here has nearly the same.
func (r *room) hue(seed int) int {
	const golden = 137 // degrees; steps of this size spread well
	for i := range 24 {
		h := (seed + i*golden) % 360
		if !slices.ContainsFunc(slices.Collect(maps.Values(r.members)), func(m *member) bool { return near(h, m.Hue) }) {
			return h
		}
	}
	return seed % 360
}

func near(a, b int) bool {
	d := (a - b + 360) % 360
	return min(d, 360-d) < 28
}

func (r *room) taken(nick string, by *member) bool {
	for _, m := range r.members {
		if m != by && strings.EqualFold(m.Nick, nick) {
			return true
		}
	}
	return false
}
