package engineio

import "sync/atomic"

// An excuse is what the silence of a client is put down to, so that its heartbeat gives it PingTimeout once
// more: something of ours keeps its answer from being read, or the client from asking.
type excuse struct {
	n     atomic.Int32 // reasons at present
	since atomic.Bool  // there was one since the heartbeat looked last
}

func (e *excuse) begin() { e.n.Add(1) }

func (e *excuse) end() {
	e.since.Store(true)
	e.n.Add(-1)
}

// fresh is called when a heartbeat begins: what was before does not matter to it.
func (e *excuse) fresh() { e.since.Store(false) }

// any tells whether there is an excuse, or was one since the last call.
func (e *excuse) any() bool {
	now := e.n.Load() > 0 // first: one that ends meanwhile is seen by one of the two
	return e.since.Swap(false) || now
}

// late notes an excuse of this moment.
func (e *excuse) late() { e.since.Store(true) }
