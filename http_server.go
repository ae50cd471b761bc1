package engineio

import (
	"context"
	"slices"
	"sync/atomic"
)

// An httpServer is one of the HTTP servers that hand requests to a Server. Its Shutdown would wait for parked polls, and
// knows nothing of WebSockets, so it ends the sessions that live on it; that of the last one ends the Server.
type httpServer struct {
	done  <-chan struct{} // closed when it shuts down
	ended atomic.Bool     // nothing may begin on it any more
}

// isEnding reports whether the HTTP server is shutting down. One that cannot, as in tests, is nil.
func (h *httpServer) isEnding() bool { return h != nil && h.ended.Load() }

// watch finds the HTTP server that shuts down when done is closed, and begins to watch it when it is new. It returns nil
// for one that cannot shut down.
func (srv *Server) watch(done <-chan struct{}) *httpServer {
	if done == nil {
		return nil
	}
	if all := srv.httpServers.Load(); all != nil {
		for _, h := range *all {
			if h.done == done {
				return h
			}
		}
	}
	return srv.watchNew(done)
}

func (srv *Server) watchNew(done <-chan struct{}) *httpServer {
	h := &httpServer{done: done}
	select {
	case <-done:
		h.ended.Store(true) // a request that was under way when the HTTP server began to shut down
		return h
	default:
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	all := srv.watched()
	if i := slices.IndexFunc(all, func(h *httpServer) bool { return h.done == done }); i >= 0 {
		return all[i]
	}
	all = append(slices.Clone(all), h)
	srv.httpServers.Store(&all)
	go func() {
		select {
		case <-done:
			srv.unwatch(h)
		case <-srv.stopped:
		}
	}()
	return h
}

// watched are the HTTP servers that are watched. The caller does not change the slice, since requests read it.
func (srv *Server) watched() []*httpServer {
	if all := srv.httpServers.Load(); all != nil {
		return *all
	}
	return nil
}

// unwatch ends what lives on an HTTP server that is shutting down: the Server itself if it is the last one.
func (srv *Server) unwatch(h *httpServer) {
	h.ended.Store(true) // before the walk over the sessions, which one that opens now may miss
	srv.mu.Lock()
	others := slices.DeleteFunc(slices.Clone(srv.watched()), func(other *httpServer) bool { return other == h })
	srv.httpServers.Store(&others)
	srv.mu.Unlock()
	if len(others) > 0 {
		srv.registry.each(func(s *Session) bool {
			if s.http.Load() == h {
				s.close(ReasonShutdown)
			}
			return true
		})
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*srv.config.CloseTimeout)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		srv.config.Logger.Warn("engineio: the HTTP server has shut down", "err", err)
	}
}

// servedBy is called with the HTTP server of each GET of long-polling, and of the WebSocket that takes over: the session
// lives on it from now on, and ends with it.
func (s *Session) servedBy(h *httpServer, t Transport) {
	if s.http.Load() != h {
		s.mu.Lock()
		if s.Transport() == t { // a GET may come late, when a WebSocket has taken over
			s.http.Store(h)
		}
		s.mu.Unlock()
	}
	if h.isEnding() {
		s.close(ReasonShutdown)
	}
}
