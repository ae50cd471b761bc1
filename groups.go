package engineio

import (
	"cmp"
	"errors"
	"iter"
	"sync"
)

// ErrTooManyGroups is returned by Groups.Add for a session that is in Groups.MaxPerSession groups.
var ErrTooManyGroups = errors.New("engineio: session is in MaxPerSession groups")

// Groups are sets of sessions by a key of the application's own: the rooms of a chat, the tabs of one
// user, the subscribers of a topic. The zero value is ready to use. All methods may be called from any
// goroutine, callbacks included.
//
//	var rooms engineio.Groups[string]
//
//	rooms.Add("lobby", s)
//	rooms.Send("lobby", engineio.PrepareText("hello"))
//
// A group exists while it has a session, and clients are not told of it. A session is removed from all its groups by
// itself when it has ended and its OnDisconnect has returned, so OnDisconnect may still ask for Keys.
type Groups[K comparable] struct {
	// MaxPerSession is the most groups that one session may be in, for keys that clients choose. It must not
	// change after the first Add. Default: 1,000.
	MaxPerSession int

	mu     sync.RWMutex
	groups map[K][]*membership[K]
}

const defaultMaxGroups = 1000

// A membership is what Groups knows of one session. It is kept with the session's values.
type membership[K comparable] struct {
	groups  *Groups[K]
	session *Session
	at      map[K]int // where the session stands in each of its groups; guarded by Groups.mu
	ended   bool      // guarded by Groups.mu
}

// Add puts s into the group of key; nothing changes when it is there. It fails with ErrClosed when s has
// ended, and with ErrTooManyGroups when s is in MaxPerSession groups already.
func (g *Groups[K]) Add(key K, s *Session) error {
	m := g.join(s)
	if m == nil {
		return ErrClosed
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if m.ended {
		return ErrClosed
	}
	if _, in := m.at[key]; in {
		return nil
	}
	if len(m.at) >= cmp.Or(g.MaxPerSession, defaultMaxGroups) {
		return ErrTooManyGroups
	}
	if g.groups == nil {
		g.groups = make(map[K][]*membership[K])
	}
	members := g.groups[key]
	m.at[key] = len(members)
	g.groups[key] = append(members, m)
	return nil
}

// Remove takes s out of the group of key. It reports whether s was in it.
func (g *Groups[K]) Remove(key K, s *Session) bool {
	m := g.find(s)
	if m == nil {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	_, in := m.at[key]
	if in {
		g.remove(key, m)
	}
	return in
}

// Send sends p to every session of the group, like Server.Broadcast does to all: it waits for none,
// Config.Overflow says what becomes of a session whose queue is full, and a text that a session's transport
// cannot carry is left out for that session. No lock is held meanwhile. To leave one out, or to send each
// something else, walk over Sessions.
func (g *Groups[K]) Send(key K, p *PreparedMessage) {
	list := g.list(key)
	defer putSessionList(list)
	for _, s := range *list {
		_ = s.sendPrepared(p, true)
	}
}

// Sessions walks over the open sessions of the group, in no order and under no lock: those there were
// when the walk began.
func (g *Groups[K]) Sessions(key K) iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		list := g.list(key)
		defer putSessionList(list)
		for _, s := range *list {
			if !s.over.Load() && !yield(s) {
				return
			}
		}
	}
}

// Len is the number of sessions in the group, those included that have ended and whose OnDisconnect has not
// returned.
func (g *Groups[K]) Len(key K) int {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return len(g.groups[key])
}

// Keys are the keys of the groups that s is in, in no order.
func (g *Groups[K]) Keys(s *Session) []K {
	m := g.find(s)
	if m == nil {
		return nil
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	keys := make([]K, 0, len(m.at))
	for key := range m.at {
		keys = append(keys, key)
	}
	return keys
}

// list copies the sessions of a group into a list that putSessionList takes back.
func (g *Groups[K]) list(key K) *[]*Session {
	list := getSessionList()
	g.mu.RLock()
	defer g.mu.RUnlock()
	for _, m := range g.groups[key] {
		*list = append(*list, m.session)
	}
	return list
}

// join finds the membership of s or makes it; nil when s has ended.
func (g *Groups[K]) join(s *Session) *membership[K] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateClosed {
		return nil
	}
	if kept := s.values.find(g); kept != nil {
		return kept.data.(*membership[K])
	}
	m := &membership[K]{groups: g, session: s, at: make(map[K]int)}
	s.values = &value{g, m, s.values}
	return m
}

// find is the membership of s; nil when s was never added.
func (g *Groups[K]) find(s *Session) *membership[K] {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.values.find(g)
	if kept == nil {
		return nil
	}
	return kept.data.(*membership[K])
}

// remove takes m out of a group that it is in: the last of the group takes its place. The caller holds g.mu.
func (g *Groups[K]) remove(key K, m *membership[K]) {
	members := g.groups[key]
	last := len(members) - 1
	moved := members[last]
	members[m.at[key]] = moved
	moved.at[key] = m.at[key]
	delete(m.at, key)
	members[last] = nil
	if last == 0 {
		delete(g.groups, key)
		return
	}
	g.groups[key] = members[:last]
}

// sessionEnded takes the session out of all its groups.
func (m *membership[K]) sessionEnded() {
	m.groups.mu.Lock()
	defer m.groups.mu.Unlock()
	m.ended = true
	for key := range m.at {
		m.groups.remove(key, m)
	}
}

// leaveGroups is the end of the session's memberships. It is called once, after the last callback.
func (s *Session) leaveGroups() {
	var joined []interface{ sessionEnded() } // *membership[K] of any K; a closed session gets no more
	s.mu.Lock()
	for kept := s.values; kept != nil; kept = kept.next {
		if m, ok := kept.data.(interface{ sessionEnded() }); ok {
			joined = append(joined, m)
		}
	}
	s.mu.Unlock()
	for _, m := range joined {
		m.sessionEnded()
	}
}
