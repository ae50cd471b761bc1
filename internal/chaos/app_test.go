package chaos_test

import (
	"context"
	"errors"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
)

// owner binds a session to the visit whose token was in its handshake.
var owner = engineio.NewKey[*visit]("visit")

// config is the application: it echoes, does what letters order and checks every callback.
func (r *run) config() engineio.Config {
	return engineio.Config{
		OnHandshake:  r.onHandshake,
		OnConnect:    r.onConnect,
		OnMessage:    r.onMessage,
		OnUpgrade:    r.onUpgrade,
		OnDisconnect: r.onDisconnect,
		OnHighWater:  func(s *engineio.Session) { r.onWater(s, true) },
		OnLowWater:   func(s *engineio.Session) { r.onWater(s, false) },
	}
}

var errRefused = errors.New("refused by order")

func (r *run) onHandshake(s *engineio.Session, ctx *fasthttp.RequestCtx) error {
	found, ok := r.visits.Load(string(ctx.QueryArgs().Peek("token")))
	if !ok {
		r.fail("a handshake without a visit: " + string(ctx.RequestURI()))
		return errRefused
	}
	v := found.(*visit)
	if v.fault != nil && v.fault.refused {
		return errRefused
	}
	owner.Set(s, v)
	return s.SetPing(v.heartbeat())
}

// enter notes that a callback runs. None may run beside another, but for those that are shared where several OnMessage
// may; and none after the end.
func (v *visit) enter(s *engineio.Session, callback string, shared bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.inside++
	switch {
	case v.session != nil && v.session != s:
		v.fail("%s: two sessions in one visit", callback)
	case v.disconnects > 0:
		v.fail("%s after OnDisconnect", callback)
	case v.inside > 1 && (!shared || v.stack.handlers <= 1):
		v.fail("%s overlaps another callback", callback)
	case v.connects == 0 && callback != "OnConnect":
		v.fail("%s before OnConnect", callback)
	}
}

func (v *visit) exit() { v.change(func() { v.inside-- }) }

func visitor(s *engineio.Session) *visit {
	v, _ := owner.Get(s)
	return v
}

func (r *run) onConnect(s *engineio.Session) {
	v := visitor(s)
	v.enter(s, "OnConnect", false)
	defer v.exit()
	v.change(func() {
		v.connects++
		v.session, v.sid = s, s.ID()
		if v.connects > 1 {
			v.fail("OnConnect again")
		}
	})
	r.figures.count("sessions")
	v.burst(s, 3)
	if v.fault != nil && v.fault.panics == "OnConnect" {
		panic("by order, in OnConnect")
	}
}

func (r *run) onMessage(s *engineio.Session, m engineio.Message) {
	v := visitor(s)
	v.enter(s, "OnMessage", true)
	defer v.exit()
	l, err := read(m.Data, m.Binary)
	if err == nil {
		err = v.hear(l)
	}
	if err != nil {
		v.fail("the server got %v", err)
		return
	}
	r.figures.sent(len(m.Data))
	if l.kind == kindUp {
		v.echo(s, l, m)
	}
	v.obey(s, l.order)
}

func (r *run) onUpgrade(s *engineio.Session) {
	v := visitor(s)
	v.enter(s, "OnUpgrade", false)
	defer v.exit()
	if s.Transport() != engineio.WebSocket {
		v.fail("OnUpgrade on %v", s.Transport())
	}
	r.figures.count("upgrades")
	v.burst(s, 3)
	if v.fault != nil && v.fault.panics == "OnUpgrade" {
		panic("by order, in OnUpgrade")
	}
}

// onWater sees the two in turns, the high one first.
func (r *run) onWater(s *engineio.Session, high bool) {
	v := visitor(s)
	v.enter(s, "OnHighWater or OnLowWater", true)
	defer v.exit()
	v.change(func() {
		if v.high == high {
			v.fail("high water %v comes again", high)
		}
		v.high = high
	})
	r.figures.count("water marks")
}

func (r *run) onDisconnect(s *engineio.Session, why *engineio.CloseError) {
	v := visitor(s)
	v.enter(s, "OnDisconnect", false)
	defer v.exit()
	if again := s.SendText("too late"); !errors.Is(again, engineio.ErrClosed) {
		v.fail("Send in OnDisconnect: %v", again)
	}
	v.change(func() {
		v.disconnects++
		v.reason, v.err, v.endedAt = why.Reason, why.Err, time.Now()
		if v.disconnects == 1 {
			close(v.ended)
		}
	})
}

// obey does what a letter orders.
func (v *visit) obey(s *engineio.Session, order byte) {
	switch order {
	case orderSlow:
		time.Sleep(20 * time.Millisecond)
	case orderFlood:
		for range 30 {
			v.deliver(s, exactly(100<<10), 0)
		}
	case orderPanic:
		panic("by order, in OnMessage")
	case orderClose:
		v.burst(s, 5)
		s.Close()
	case orderCloseNow:
		v.burst(s, 5)
		s.CloseNow()
	case orderDisconnect:
		v.burst(s, 5)
		if !v.stack.srv.Disconnect(s.ID()) && !v.run.closing.Load() { // its end may have overtaken this callback
			v.fail("Disconnect does not find the session")
		}
	case orderLater:
		time.AfterFunc(v.moment(), s.Close)
	case orderLaterNow:
		time.AfterFunc(v.moment(), s.CloseNow)
	}
}

// moment is a random time of up to 30 ms.
func (v *visit) moment() time.Duration {
	v.mu.Lock()
	defer v.mu.Unlock()
	return time.Duration(v.dice.IntN(30_000)) * time.Microsecond
}

// burst sends up to n letters at once.
func (v *visit) burst(s *engineio.Session, n int) {
	v.mu.Lock()
	n = v.dice.IntN(n + 1)
	v.mu.Unlock()
	for range n {
		v.deliver(s, upTo(padSmall), 0)
	}
}

// budget is what a client that must not be disturbed is sent at most, beside its echoes. Its queue is not full then
// when it does not poll and waits for the answer to a POST, whose echo would wait for room.
func (s *stack) budget() int {
	if s.queue == 0 {
		return 300 << 10
	}
	return s.queue / 2
}

// deliver sends a letter, whose number counts if it was accepted.
func (v *visit) deliver(s *engineio.Session, n size, opts engineio.SendOption) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.owed > v.stack.budget() && v.behaves() {
		return
	}
	pad, binary := pad(v.dice, n)
	data := letter{v.token, kindDown, orderNone, v.down + 1}.append(nil, pad, binary)
	err := v.deal(s, data, binary, opts)
	switch {
	case err == nil:
		v.down++
		v.owed += len(data)
	case errors.Is(err, engineio.ErrQueueFull):
		v.run.figures.count("queue full")
	case errors.Is(err, engineio.ErrNotReady) && opts&engineio.Volatile != 0:
		v.run.figures.count("volatile dropped")
	case !errors.Is(err, engineio.ErrClosed):
		v.fail("Send: %v", err)
	}
	clear(data) // the engine must have its own
}

// deal sends data in one of the ways there are.
func (v *visit) deal(s *engineio.Session, data []byte, binary bool, opts engineio.SendOption) error {
	m := engineio.Message{Data: data, Binary: binary}
	if v.dice.IntN(4) == 0 {
		opts |= engineio.NoCompress
	}
	switch {
	case v.dice.IntN(3) == 0:
		return s.SendPrepared(engineio.Prepare(m, opts))
	case opts != 0:
		return s.Send(m, opts)
	case binary:
		return s.SendBinary(data)
	}
	return s.SendText(string(data))
}

// echo answers a letter. It waits for room if there is none.
func (v *visit) echo(s *engineio.Session, l letter, m engineio.Message) {
	l.kind = kindEcho
	head := len(l.token) + 4
	pad := m.Data[head:]
	for range 2 { // behind the number and the checksum
		for i, c := range pad {
			if c == ' ' {
				pad = pad[i+1:]
				break
			}
		}
	}
	data := l.append(nil, pad, m.Binary)
	ctx, cancel := context.WithTimeout(context.Background(), patience/2)
	defer cancel()
	for {
		var err error
		v.change(func() {
			if err = s.Send(engineio.Message{Data: data, Binary: m.Binary}, 0); err == nil {
				v.answered++
			}
		})
		if !errors.Is(err, engineio.ErrQueueFull) {
			if err != nil && !errors.Is(err, engineio.ErrClosed) {
				v.fail("Send of an echo: %v", err)
			}
			return
		}
		v.run.figures.count("flushes for room")
		if err = s.Flush(ctx); err != nil {
			if v.behaves() && !errors.Is(err, engineio.ErrClosed) {
				v.fail("Flush: %v", err)
			}
			return
		}
	}
}
