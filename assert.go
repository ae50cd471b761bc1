package engineio

// broken is told of what must never happen. Tests set it; otherwise it is nil, and nothing is done.
var assertFailed func(what string)

// assert states what holds unless there is a bug of ours.
func assert(holds bool, what string) {
	if !holds && assertFailed != nil {
		assertFailed(what)
	}
}

// made is told of every session, for tests that look at what has become of it; otherwise it is nil.
var onNewSession func(s *Session)
