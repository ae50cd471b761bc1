package engineio

// assertFailed is called with what must never happen. Tests set it; otherwise it is nil, and assert does nothing.
var assertFailed func(what string)

// assert calls assertFailed when a condition does not hold that holds unless this package has a bug.
func assert(holds bool, what string) {
	if !holds && assertFailed != nil {
		assertFailed(what)
	}
}

// onNewSession is called with every new session. Tests set it, to look at what becomes of sessions; otherwise it is nil.
var onNewSession func(s *Session)
