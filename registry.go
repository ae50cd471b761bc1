package engineio

import (
	"hash/maphash"
	"sync"
)

// A registry finds sessions by their id. It is split so that requests of different sessions do
// not wait for each other; 64 parts keep a broadcast's walk short.
type registry struct {
	seed   maphash.Seed
	shards [64]shard
}

type shard struct {
	mu       sync.RWMutex
	sessions map[string]*Session
	_        [32]byte // a cache line each
}

func (r *registry) init() {
	r.seed = maphash.MakeSeed()
	for i := range r.shards {
		r.shards[i].sessions = make(map[string]*Session)
	}
}

func (r *registry) shard(id []byte) *shard {
	return &r.shards[maphash.Bytes(r.seed, id)%uint64(len(r.shards))]
}

// add fails when another session has the id.
func (r *registry) add(s *Session) bool {
	h := r.shard(view(s.id))
	h.mu.Lock()
	defer h.mu.Unlock()
	if other, taken := h.sessions[s.id]; taken {
		return other == s
	}
	h.sessions[s.id] = s
	return true
}

func (r *registry) remove(s *Session) {
	h := r.shard(view(s.id))
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.sessions[s.id] == s {
		delete(h.sessions, s.id)
	}
}

func (r *registry) get(id []byte) *Session {
	h := r.shard(id)
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.sessions[string(id)]
}

// each calls f for every session, under no lock, until f returns false. A session that is added or removed meanwhile may
// be among them or not.
func (r *registry) each(f func(*Session) bool) {
	list := getSessionList()
	defer putSessionList(list)
	for i := range r.shards {
		*list = r.shards[i].appendTo((*list)[:0])
		for _, s := range *list {
			if !f(s) {
				return
			}
		}
	}
}

func (h *shard) appendTo(list []*Session) []*Session {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, s := range h.sessions {
		list = append(list, s)
	}
	return list
}

var sessionLists = sync.Pool{New: func() any { return new([]*Session) }}

// getSessionList returns an empty list from a pool, to copy sessions into under a lock and walk over without it.
// putSessionList gives it back.
func getSessionList() *[]*Session { return sessionLists.Get().(*[]*Session) }

func putSessionList(list *[]*Session) {
	clear((*list)[:cap(*list)])
	*list = (*list)[:0]
	sessionLists.Put(list)
}

// add makes a session findable by its id. A session that opens while Shutdown, Drain or the end of its HTTP server walks
// over the others is closed here. It fails when another session has the id.
func (srv *Server) add(s *Session) bool {
	if !srv.registry.add(s) {
		return false
	}
	switch {
	case srv.closing.Load(), s.http.Load().isEnding():
		s.close(ReasonShutdown)
	case srv.draining.Load():
		s.close(ReasonDrain)
	}
	if s.isClosed() {
		srv.forget(s) // it has ended before it was added
	}
	return true
}

// forget makes a session unknown.
func (srv *Server) forget(s *Session) { srv.registry.remove(s) }
