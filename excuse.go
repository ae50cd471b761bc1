package engineio

import "sync/atomic"

// An pingGrace is what the silence of a client is put down to, so that its heartbeat gives it PingTimeout once
// more: something of ours keeps its answer from being read, or the client from asking.
type pingGrace struct {
	state atomic.Uint32 // twice the reasons at present, and one if there was any since the heartbeat looked last
}

func (e *pingGrace) hold() { e.state.Add(2) }

func (e *pingGrace) release() {
	e.mark()
	e.drop()
}

// drop ends what is over without a trace.
func (e *pingGrace) drop() {
	left := e.state.Add(^uint32(1)) // 2 less
	assert(int32(left) >= 0, "more excuses ended than began")
}

// mark notes an excuse of this moment.
func (e *pingGrace) mark() { e.state.Or(1) }

// consume reports whether there is an excuse, or was one since the last call.
func (e *pingGrace) consume() bool { return e.state.And(^uint32(1)) != 0 }

// reset is called when a heartbeat begins: what was before does not matter to it.
func (e *pingGrace) reset() { e.consume() }
