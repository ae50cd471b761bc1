package socketio

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/fasteio/engineio/socketio/internal/parser"
)

// A worker handles what a client sends to one namespace, in order, on a goroutine that exists only while there is
// something to handle.
type worker struct {
	conn      *conn
	namespace *Namespace

	mu      sync.Mutex
	state   state
	socket  *Socket // the last
	jobs    []job
	next    int // the job to take
	bytes   int // of the jobs that wait
	running bool
	room    chan struct{} // closed when a job is taken; nil when nobody waits for it
	over    chan struct{} // closed behind the last job; nil before the end of the session
}

// state is where the client stands in the namespace, as its reader sees it.
type state uint8

const (
	stateOut        state = iota // not asked for, refused, or left
	stateConnecting              // asked for
	stateIn
	stateExpelled // the server has ended it, which the client may not know yet
)

type jobKind uint8

const (
	jobConnect jobKind = iota
	jobEvent
	jobDisconnect
	jobEnd // of the session
)

type job struct {
	kind   jobKind
	socket *Socket
	packet parser.Packet
	size   int
}

// connect begins to make s the socket. It reports whether the client may ask for it now.
func (w *worker) connect(s *Socket) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == stateIn || w.state == stateConnecting {
		return false
	}
	w.state, w.socket = stateConnecting, s
	w.add(job{kind: jobConnect, socket: s})
	return true
}

// connected is the socket that a packet of the client is for. ok is false when it may not send any, and s is nil
// when it does not know that yet.
func (w *worker) connected() (s *Socket, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch w.state {
	case stateIn:
		return w.socket, true
	case stateExpelled:
		return nil, true
	}
	return nil, false
}

// left takes note that the client has left.
func (w *worker) left(s *Socket) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == stateIn && w.socket == s {
		w.state = stateOut
		w.add(job{kind: jobDisconnect, socket: s})
	}
}

// expel takes note that the server has ended s. It reports whether the client was in the namespace.
func (w *worker) expel(s *Socket) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != stateIn || w.socket != s {
		return false
	}
	w.state = stateExpelled
	w.add(job{kind: jobDisconnect, socket: s})
	return true
}

// current is the socket that is connected or about to be, or nil.
func (w *worker) current() *Socket {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state == stateIn || w.state == stateConnecting {
		return w.socket
	}
	return nil
}

// admit opens the namespace to the client. It fails when the session has ended.
func (w *worker) admit(s *Socket) bool { return w.move(s, stateIn) }

// refuse closes it.
func (w *worker) refuse(s *Socket) { w.move(s, stateOut) }

func (w *worker) move(s *Socket, to state) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.state != stateConnecting || w.socket != s || w.over != nil {
		return false
	}
	w.state = to
	return true
}

// end is the end of the session. What waits is handled still. The socket has its reason before OnDisconnect can run.
func (w *worker) end(cause *CloseError) {
	w.last().end(cause.Reason, cause.Err)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = make(chan struct{})
	if w.state == stateIn {
		w.add(job{kind: jobDisconnect, socket: w.socket})
	}
	w.state = stateOut
	w.add(job{kind: jobEnd})
}

// last is the last socket, whatever has become of it.
func (w *worker) last() *Socket {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.socket
}

// push queues an event. It waits for room, unless the session ends first.
func (w *worker) push(j job) {
	w.mu.Lock()
	for w.isFull(j.size) {
		room := make(chan struct{})
		w.room = room
		w.mu.Unlock()
		w.conn.block(true)
		select {
		case <-room:
			w.conn.block(false)
		case <-w.conn.session.Context().Done():
			w.conn.block(false)
			return
		}
		w.mu.Lock()
	}
	w.bytes += j.size
	w.add(j)
	w.mu.Unlock()
}

// isFull reports whether there is no room for an event of n bytes. The caller holds w.mu.
func (w *worker) isFull(n int) bool {
	c := &w.conn.srv.config
	waiting := len(w.jobs) - w.next
	return waiting > 0 && (waiting >= c.MaxPending || w.bytes+n > c.MaxPendingBytes)
}

// add queues a job. The caller holds w.mu.
func (w *worker) add(j job) {
	if w.next > 0 && len(w.jobs) == cap(w.jobs) { // move down what waits, rather than grow behind what is done
		n := copy(w.jobs, w.jobs[w.next:])
		clear(w.jobs[n:])
		w.jobs, w.next = w.jobs[:n], 0
	}
	w.jobs = append(w.jobs, j)
	if !w.running {
		w.running = true
		go w.run()
	}
}

// take takes the next job. Without one the goroutine has to end.
func (w *worker) take() (j job, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.next == len(w.jobs) {
		w.running, w.jobs, w.next = false, nil, 0 // an idle socket holds no queue
		return job{}, false
	}
	j = w.jobs[w.next]
	w.jobs[w.next] = job{}
	w.next++
	w.bytes -= j.size
	if w.room != nil {
		close(w.room)
		w.room = nil
	}
	return j, true
}

// run handles jobs until there is none.
func (w *worker) run() {
	done := false
	defer func() {
		if !done { // a handler has called runtime.Goexit
			go w.run()
		}
	}()
	for {
		j, ok := w.take()
		if !ok {
			done = true
			return
		}
		w.handle(j)
	}
}

func (w *worker) handle(j job) {
	switch j.kind {
	case jobConnect:
		w.namespace.enter(j.socket)
	case jobEvent:
		w.namespace.dispatch(j.socket, j.packet)
	case jobDisconnect:
		w.namespace.leave(j.socket)
	case jobEnd:
		close(w.over)
	}
}

var errPanic = errors.New("a handler panicked")

// guard runs a handler of s. A panic is logged, and told by an error.
func (s *Socket) guard(where string, handler func()) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.namespace.srv.log.Error("socketio: panic in "+where, "namespace", s.namespace.name, "socket", s.id, "panic", p,
				"stack", string(debug.Stack()))
			err = fmt.Errorf("%w: %v", errPanic, p)
		}
	}()
	handler()
	return nil
}
