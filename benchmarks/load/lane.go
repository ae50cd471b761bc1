package main

import (
	"time"

	"github.com/fasteio/engineio/benchmarks/internal/stamp"
)

// lane is a connection for POSTs that some clients share: with one for each client, 10,000 of them
// would need more descriptors than a process may have. Each client has one lane, and so its
// messages stay in order.
type lane struct {
	jobs chan job
	done chan struct{}
	d    *dialer
	m    *meter
	w    *wire
}

// job is a message to post, or a pong.
type job struct {
	c   *polled
	seq int64
}

const (
	pong     = -1
	maxLanes = 500
	maxJobs  = 1 << 12 // the pacer waits for lanes that are further behind
)

// newLanes makes lanes for so many clients, none if they are not on long-polling.
func newLanes(o *options, m *meter, clients int) []*lane {
	if o.transport != "polling" {
		return nil
	}
	lanes := make([]*lane, min(clients, maxLanes))
	for i := range lanes {
		lanes[i] = &lane{
			jobs: make(chan job, maxJobs),
			done: make(chan struct{}),
			d:    &dialer{host: o.host, sources: o.sources, timeout: o.timeout},
			m:    m,
		}
		go lanes[i].run()
	}
	return lanes
}

// run posts until jobs is closed.
func (l *lane) run() {
	defer close(l.done)
	for j := range l.jobs {
		if j.c.ended.Load() {
			continue
		}
		if err := l.post(j); err != nil {
			l.m.fault(j.c.id, err)
			j.c.wake() // its message is lost, and so all that come after it are out of order
			l.drop()
		}
	}
	l.drop()
}

func (l *lane) drop() {
	if l.w != nil {
		l.w.Close()
		l.w = nil
	}
}

func (l *lane) post(j job) (err error) {
	if l.w == nil {
		if l.w, err = l.d.connect(firstBuffer); err != nil {
			return err
		}
	}
	_ = l.w.SetDeadline(time.Now().Add(l.d.timeout))
	post := j.c.pong
	if j.seq != pong {
		post = j.c.post
		stamp.Put(post[j.c.stamp:j.c.stamp+stamp.Len-stamp.ClientDigits], uint64(j.seq))
	}
	if _, err := l.w.Write(post); err != nil {
		return err
	}
	_, err = l.w.response(200)
	return err
}
