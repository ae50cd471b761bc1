package chaos_test

import (
	"errors"
	"fmt"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
)

// visit is one visit from beginning to end.
func (r *run) visit(p plan) {
	v := newVisit(r, p)
	r.visits.Store(v.token, v)
	c := newClient(v)
	err := c.script()
	if err != nil && v.behaves() {
		v.disturbed(c, err)
	}
	c.hangUp()
	if v.mayOpen() { // late, or never
		return
	}
	v.judge()
	r.visits.Delete(v.token)
}

// disturbed is what must not happen to a client that behaves, unless the server shuts down. Then it reads to the end,
// which may be that of a session that never got as far as OnConnect.
func (v *visit) disturbed(c *client, err error) {
	switch {
	case !v.run.closing.Load():
		v.fail("the client was disturbed: %v", err)
	case c.home != nil:
		_ = c.comeHome()
	}
}

// mayOpen tells whether the server may see the handshake of a client that has left.
func (v *visit) mayOpen() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.connects == 0 && v.fault != nil && v.fault.opens != nil
}

// judgeLate judges visits that opened late or never, when all is over.
func (r *run) judgeLate() {
	for token, v := range r.visits.Range {
		v := v.(*visit)
		if v.mayOpen() {
			r.figures.count("never opened")
		} else {
			v.judge()
		}
		r.visits.Delete(token)
	}
}

// script is what the client does.
func (c *client) script() error {
	f := c.fault
	if f != nil && f.opens != nil {
		return c.openStrangely()
	}
	if err := c.connect(); err != nil {
		return c.notConnected(err)
	}
	if err := c.exchange(c.rng.IntN(5)); err != nil {
		return err
	}
	if f != nil && f.early {
		if err := c.misbehave(); err != nil {
			return err
		}
	}
	if c.way == enginetest.ByUpgrade {
		if err := c.move(); err != nil {
			return err
		}
	}
	if err := c.exchange(c.rng.IntN(8)); err != nil {
		return err
	}
	if f != nil && !f.early {
		if err := c.misbehave(); err != nil {
			return err
		}
	}
	return c.finish()
}

// openStrangely leaves in the middle of the handshake.
func (c *client) openStrangely() error {
	c.run.figures.count("fault " + c.fault.name)
	return c.fault.opens(c)
}

// notConnected judges a handshake that has failed.
func (c *client) notConnected(err error) error {
	var e statusError
	if c.fault == nil || !c.fault.refused {
		return err
	}
	c.run.figures.count("fault " + c.fault.name)
	if !errors.As(err, &e) || e.status != 403 && !(e.status == 503 && c.run.closing.Load()) {
		c.fail("a refused handshake was answered with %v", err)
	}
	return err
}

// misbehave does what the fault says, if there is something to do.
func (c *client) misbehave() error {
	if c.fault.act == nil {
		return nil
	}
	c.run.figures.count("fault " + c.fault.name)
	if err := c.fault.act(c); err != nil {
		return fmt.Errorf("%s: %w", c.fault.name, err)
	}
	return nil
}

// move upgrades.
func (c *client) move() error {
	eager := c.fault != nil && c.fault.act == nil
	if eager {
		c.run.figures.count("fault " + c.fault.name)
	}
	if c.fault != nil && c.fault.early {
		return c.upgradeAfterAll(eager)
	}
	return c.upgrade(eager)
}

// finish is the end of the visit, which the fault has brought about, or which comes as planned.
func (c *client) finish() error {
	if c.behaves() || c.fault.survives {
		if err := c.exchange(c.rng.IntN(4)); err != nil {
			return err
		}
	}
	switch {
	case c.behaves():
		return c.leave()
	case c.fault.survives:
		return c.part()
	}
	select {
	case <-c.ended:
		return nil
	case <-time.After(patience):
		return errors.New("the session does not end")
	}
}
