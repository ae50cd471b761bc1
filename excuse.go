package engineio

import "sync/atomic"

// An excuse is what the silence of a client is put down to, so that its heartbeat gives it PingTimeout once
// more: something of ours keeps its answer from being read, or the client from asking.
type excuse struct {
	state atomic.Uint32 // twice the reasons at present, and one if there was any since the heartbeat looked last
}

func (e *excuse) begin() { e.state.Add(2) }

func (e *excuse) end() {
	e.late()
	e.cancel()
}

// cancel ends what is over without a trace.
func (e *excuse) cancel() {
	left := e.state.Add(^uint32(1)) // 2 less
	assert(int32(left) >= 0, "more excuses ended than began")
}

// late notes an excuse of this moment.
func (e *excuse) late() { e.state.Or(1) }

// any tells whether there is an excuse, or was one since the last call.
func (e *excuse) any() bool { return e.state.And(^uint32(1)) != 0 }

// fresh is called when a heartbeat begins: what was before does not matter to it.
func (e *excuse) fresh() { e.any() }
