package engineio

// Places is how many sessions count for Config.MaxSessions, for tests of package engineio_test.
func (srv *Server) Places() int { return srv.places.count() }
