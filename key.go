package engineio

// A Key names a value that the application keeps with its sessions. Keys are compared by
// identity: two keys of the same name are two values.
//
//	var user = engineio.NewKey[User]("user")
//
//	user.Set(s, u)
//	u, ok := user.Get(s)
type Key[T any] struct {
	name string
}

// A value is one of a session's, in a list: most sessions have none or few.
type value struct {
	key  any // a *Key[T]
	data any // its T
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
	if kept := k.find(s); kept != nil {
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
	kept := k.find(s)
	if kept == nil {
		return v, false
	}
	v, _ = kept.data.(T) // fails for a nil in an interface, which v is already
	return v, true
}

func (k *Key[T]) find(s *Session) *value {
	for kept := s.values; kept != nil; kept = kept.next {
		if kept.key == k {
			return kept
		}
	}
	return nil
}
