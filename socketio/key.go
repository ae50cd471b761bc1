package socketio

// A Key names a value of type T that is kept with a socket, as engineio.Key does with a session.
//
//	var name = socketio.NewKey[string]("name")
//
//	name.Set(s, "Ann")
//	who := name.Value(s)
type Key[T any] struct {
	name string
}

// NewKey makes a key, usually once for a package. The name is for people.
func NewKey[T any](name string) *Key[T] { return &Key[T]{name: name} }

// String is the name given to NewKey.
func (k *Key[T]) String() string { return k.name }

// Set keeps v with the socket in place of what was there. It may be called from any goroutine.
func (k *Key[T]) Set(s *Socket, v T) {
	c := s.worker.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.values == nil {
		s.values = make(map[any]any)
	}
	s.values[k] = v
}

// Get returns the socket's value; ok is false when there is none. Values outlive the socket.
func (k *Key[T]) Get(s *Socket) (v T, ok bool) {
	c := s.worker.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	kept, ok := s.values[k]
	v, _ = kept.(T) // fails for a nil in an interface, which v is already
	return v, ok
}

// Value is Get for a value that is known to be there, or whose zero value says as much.
func (k *Key[T]) Value(s *Socket) T {
	v, _ := k.Get(s)
	return v
}
