package socketio

// add makes a socket one of the namespace.
func (n *Namespace) add(s *Socket) {
	c := s.worker.conn
	c.mu.Lock()
	if s.why == nil {
		s.in.Store(true)
	}
	c.mu.Unlock()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.sockets[s.id] = s
}

// forget takes a socket out of the namespace and all its rooms, and lets it join no more.
func (n *Namespace) forget(s *Socket) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.sockets, s.id)
	for room := range s.rooms {
		n.remove(s, room)
	}
	s.rooms, s.gone = nil, true
}

// Join puts the socket into rooms; those it is in already stay. It fails with ErrTooManyRooms above Config.MaxRooms, with those
// before joined, and with ErrClosed after OnDisconnect.
func (s *Socket) Join(rooms ...string) error {
	n := s.namespace
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, room := range rooms {
		if s.gone {
			return ErrClosed
		}
		if _, in := s.rooms[room]; in || room == s.id {
			continue
		}
		if len(s.rooms) >= n.srv.config.MaxRooms {
			return ErrTooManyRooms
		}
		if s.rooms == nil {
			s.rooms = make(map[string]int)
		}
		s.rooms[room] = len(n.rooms[room])
		n.rooms[room] = append(n.rooms[room], s)
	}
	return nil
}

// Leave takes the socket out of rooms. It stays in its own, its id.
func (s *Socket) Leave(rooms ...string) {
	n := s.namespace
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, room := range rooms {
		n.remove(s, room)
	}
}

// Rooms are the rooms that the socket is in, its own first.
func (s *Socket) Rooms() []string {
	n := s.namespace
	n.mu.RLock()
	defer n.mu.RUnlock()
	rooms := make([]string, 1, 1+len(s.rooms))
	rooms[0] = s.id
	for room := range s.rooms {
		rooms = append(rooms, room)
	}
	return rooms
}

// In reports whether the socket is in a room.
func (s *Socket) In(room string) bool {
	n := s.namespace
	n.mu.RLock()
	defer n.mu.RUnlock()
	_, in := s.rooms[room]
	return in || room == s.id
}

// remove takes s out of a room: the last of the room takes its place. The caller holds n.mu.
func (n *Namespace) remove(s *Socket, room string) {
	at, in := s.rooms[room]
	if !in {
		return
	}
	members := n.rooms[room]
	last := len(members) - 1
	members[at] = members[last]
	members[at].rooms[room] = at
	members[last] = nil
	delete(s.rooms, room)
	if last == 0 {
		delete(n.rooms, room)
		return
	}
	n.rooms[room] = members[:last]
}
