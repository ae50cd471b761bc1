package engineio

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A poor listener has no connections, for one reason after the other, and then one.
type poor struct {
	net.Listener
	errs []error

	mu    sync.Mutex
	asked []time.Time
	done  bool
}

func (p *poor) Accept() (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, time.Now())
	if n := len(p.asked); n <= len(p.errs) {
		return nil, p.errs[n-1]
	}
	return new(net.TCPConn), nil
}

func (p *poor) Close() error {
	p.done = true
	return nil
}

// shortage is what the net package makes of accept(2)'s errors.
func shortage(errno error) error {
	return &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", errno)}
}

// Accept waits for files as net/http's Serve does, from 5 ms on, and says so once.
func TestListenerWaitsForFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var errs []error
		for range 5 {
			errs = append(errs, shortage(syscall.EMFILE), shortage(syscall.ENFILE))
		}
		srv, book := logged(Config{})
		p := &poor{errs: errs}
		c, err := srv.Listener(p).Accept()
		if _, ok := c.(*net.TCPConn); !ok || err != nil {
			t.Fatalf("%T, %v: want the connection as it is", c, err)
		}
		for i, want := range []time.Duration{5, 10, 20, 40, 80, 160, 320, 500, 500, 500} {
			if got := p.asked[i+1].Sub(p.asked[i]); got != want*time.Millisecond {
				t.Errorf("pause %d is %v, want %v ms", i, got, want)
			}
		}
		if book.count("raise the limit of open files") != 1 || book.count("WARN engineio: no connection can be accepted for now") != 1 {
			t.Errorf("logged %q", book.lines)
		}
	})
}

// Whatever else Accept reports is for the HTTP server.
func TestListenerReportsTheRest(t *testing.T) {
	srv, book := logged(Config{MaxSessions: 1})
	for _, want := range []error{net.ErrClosed, os.ErrDeadlineExceeded, io.EOF, shortage(syscall.EINVAL)} {
		if _, err := srv.Listener(&poor{errs: []error{want}}).Accept(); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if book.count("WARN") != 0 {
		t.Errorf("logged %q", book.lines)
	}
}

// Close ends a wait at once, with the error that HTTP servers take for a good end.
func TestListenerCloseEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		errs := make([]error, 1000)
		for i := range errs {
			errs[i] = shortage(syscall.EMFILE)
		}
		srv, _ := logged(Config{})
		p := &poor{errs: errs}
		ln := srv.Listener(p)
		result := make(chan error, 1)
		go func() {
			_, err := ln.Accept()
			result <- err
		}()
		time.Sleep(10 * time.Second)
		start := time.Now()
		if err := ln.Close(); err != nil || !p.done {
			t.Errorf("Close: %v", err)
		}
		_ = ln.Close()
		if err := <-result; !errors.Is(err, net.ErrClosed) || time.Since(start) != 0 {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// More sessions than files are a mistake, which is told when the server listens.
func TestListenerComparesFiles(t *testing.T) {
	srv, book := logged(Config{MaxSessions: 1 << 40})
	srv.Listener(&poor{})
	if book.count("Config.MaxSessions is above the limit of open files") > 1 {
		t.Errorf("logged %q", book.lines)
	}
	srv, book = logged(Config{MaxSessions: 1})
	srv.Listener(&poor{})
	if book.count("WARN") != 0 {
		t.Errorf("logged %q", book.lines)
	}
}
