package fibertest

import (
	"testing"
	"time"

	"github.com/valyala/fasthttp/fasthttputil"
)

// Tune reaches the server of the app, and what it sets is still there when the app serves.
func tune(t *testing.T, kit Kit) {
	for name, c := range map[string]struct {
		set                 Config
		wantRead, wantIdle  time.Duration
		wantWrite           time.Duration
		wantConcurrency     int
		wantMaxRequestBytes int
	}{
		"nothing set": {Config{}, 30 * time.Second, 75 * time.Second, 30 * time.Second, 256 * 1024, 4 * 1024 * 1024},
		"all set": {Config{ReadTimeout: 1, IdleTimeout: 2, WriteTimeout: 3, Concurrency: 4, BodyLimit: 5},
			1, 2, 3, 4, 5},
	} {
		t.Run(name, func(t *testing.T) {
			app := kit.NewApp(c.set)
			app.Server().MaxIdleWorkerDuration = 100 * time.Millisecond // its janitor sleeps that long after the end
			app.Tune()
			ln := fasthttputil.NewInmemoryListener()
			listening := make(chan struct{})
			app.OnListen(func() { close(listening) })
			served := make(chan error, 1)
			go func() { served <- app.Serve(ln) }()
			<-listening
			s := app.Server()
			if !s.KeepHijackedConns || !s.ReduceMemoryUsage || s.ReadTimeout != c.wantRead || s.IdleTimeout != c.wantIdle {
				t.Errorf("KeepHijackedConns %v, ReduceMemoryUsage %v, ReadTimeout %v, IdleTimeout %v",
					s.KeepHijackedConns, s.ReduceMemoryUsage, s.ReadTimeout, s.IdleTimeout)
			}
			if s.WriteTimeout != c.wantWrite || s.Concurrency != c.wantConcurrency || s.MaxRequestBodySize != c.wantMaxRequestBytes {
				t.Errorf("WriteTimeout %v, Concurrency %d, MaxRequestBodySize %d", s.WriteTimeout, s.Concurrency, s.MaxRequestBodySize)
			}
			_ = ln.Close()
			_ = app.Shutdown()
			<-served
		})
	}
}
