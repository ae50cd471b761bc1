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

type value struct {
	key  any // a *Key[T]
	data any // its T
}

// NewKey makes a key, usually once for a package. The name is for people.
func NewKey[T any](name string) *Key[T] { return &Key[T]{name: name} }

// String is the name given to NewKey.
func (k *Key[T]) String() string { return k.name }

// Set keeps v with the session in place of what was there. It may be called from any goroutine.
func (k *Key[T]) Set(s *Session, v T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.values {
		if s.values[i].key == k {
			s.values[i].data = v
			return
		}
	}
	s.values = append(s.values, value{k, v})
}

// Get returns the session's value; ok is false when there is none. Values outlive the session, so
// that OnDisconnect finds them.
func (k *Key[T]) Get(s *Session) (v T, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.values {
		if s.values[i].key == k {
			v, _ = s.values[i].data.(T) // fails for a nil in an interface, which v is already
			return v, true
		}
	}
	return v, false
}
