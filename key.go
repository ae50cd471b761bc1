package engineio

// A Key names a value that the application keeps with its sessions. Keys are compared by
// identity: two keys of the same name are two values.
//
//	var user = engineio.NewKey[User]("user")
//
//	user.Set(s, u)
//	u := user.Value(s)
type Key[T any] struct {
	name string
}

// A value is one of a session's, in a list: most sessions have none or few.
type value struct {
	key  any // a *Key[T] or *Groups[K]
	data any // its T or *membership[K]
	next *value
}

// NewKey makes a key, usually once for a package. The name is for people.
func NewKey[T any](name string) *Key[T] { return &Key[T]{name: name} }

// String is the name given to NewKey.
func (k *Key[T]) String() string { return k.name }

// Set keeps v with the session in place of what was there. It may be called from any goroutine.
func (k *Key[T]) Set(s *Session, v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept := s.values.find(k); kept != nil {
		kept.data = v
		return
	}
	s.values = &value{k, v, s.values}
}

// Get returns the session's value; ok is false when there is none. Values outlive the session, so
// that OnDisconnect finds them.
func (k *Key[T]) Get(s *Session) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.values.find(k)
	if kept == nil {
		return v, false
	}
	v, _ = kept.data.(T) // fails for a nil in an interface, which v is already
	return v, true
}

// Value is Get for a value that is known to be there, or whose zero value says as much.
func (k *Key[T]) Value(s *Session) T {
	v, _ := k.Get(s)
	return v
}

// Delete takes the value from the session. It may be called from any goroutine.
func (k *Key[T]) Delete(s *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for at := &s.values; *at != nil; at = &(*at).next {
		if (*at).key == k {
			*at = (*at).next
			return
		}
	}
}

// find is the value of a key in a list. The caller holds Session.mu.
func (kept *value) find(key any) *value {
	for ; kept != nil && kept.key != key; kept = kept.next {
	}
	return kept
}
