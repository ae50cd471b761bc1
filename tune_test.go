package engineio_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
)

// Tune sets four fields, those it says, and nothing else.
func TestTune(t *testing.T) {
	var s fasthttp.Server
	engineio.Tune(&s)
	want := map[string]any{
		"KeepHijackedConns": true, "ReduceMemoryUsage": true,
		"ReadTimeout": 30 * time.Second, "IdleTimeout": 75 * time.Second,
	}
	for i, v := 0, reflect.ValueOf(&s).Elem(); i < v.NumField(); i++ {
		name := v.Type().Field(i).Name
		if !v.Type().Field(i).IsExported() {
			continue
		}
		if value, set := want[name]; set && v.Field(i).Interface() != value || !set && !v.Field(i).IsZero() {
			t.Errorf("%s is %v, want %v", name, v.Field(i), value)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		t.Errorf("fasthttp.Server has no fields %v", want)
	}
}

// What the application has set stays.
func TestTuneLeavesTimeouts(t *testing.T) {
	for _, set := range []*fasthttp.Server{
		{ReadTimeout: time.Second, IdleTimeout: 2 * time.Second},
		{ReadTimeout: time.Hour, IdleTimeout: time.Hour},
		{ReadTimeout: -1, IdleTimeout: -1}, // none, to fasthttp
		{KeepHijackedConns: true, ReduceMemoryUsage: true, ReadTimeout: time.Second, IdleTimeout: time.Second},
	} {
		s := &fasthttp.Server{
			KeepHijackedConns: set.KeepHijackedConns, ReduceMemoryUsage: set.ReduceMemoryUsage,
			ReadTimeout: set.ReadTimeout, IdleTimeout: set.IdleTimeout,
			WriteTimeout: 3 * time.Second, MaxRequestBodySize: 5, MaxConnsPerIP: 6, Concurrency: 7,
		}
		engineio.Tune(s)
		engineio.Tune(s)
		if !s.KeepHijackedConns || !s.ReduceMemoryUsage || s.ReadTimeout != set.ReadTimeout || s.IdleTimeout != set.IdleTimeout {
			t.Errorf("ReadTimeout %v and IdleTimeout %v become %v and %v", set.ReadTimeout, set.IdleTimeout, s.ReadTimeout, s.IdleTimeout)
		}
		if s.WriteTimeout != 3*time.Second || s.MaxRequestBodySize != 5 || s.MaxConnsPerIP != 6 || s.Concurrency != 7 {
			t.Errorf("%v %d %d %d", s.WriteTimeout, s.MaxRequestBodySize, s.MaxConnsPerIP, s.Concurrency)
		}
	}
}
