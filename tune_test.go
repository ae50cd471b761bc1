package engineio_test

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// Tune sets five fields, those it says, and nothing else.
func TestTune(t *testing.T) {
	var s fasthttp.Server
	engineio.Tune(&s)
	want := map[string]any{
		"KeepHijackedConns": true, "ReduceMemoryUsage": true,
		"ReadTimeout": 30 * time.Second, "WriteTimeout": 30 * time.Second, "IdleTimeout": 75 * time.Second,
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

// fasthttp would take forms of any length apart before a handler of a server with StreamRequestBody runs.
func TestTuneKeepsStreamedFormsOffTheDisk(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	server := &fasthttp.Server{StreamRequestBody: true}
	engineio.Tune(server)
	if engineio.Tune(new(fasthttp.Server)); !server.DisablePreParseMultipartForm {
		t.Fatal("forms are taken apart")
	}
	e := serve(t, onFasthttp, engineio.Config{MaxPayload: 1000}, enginetest.Options{StreamRequestBody: true})
	p := e.polling(t, enginetest.Setup{})
	h := e.http.HTTP()
	t.Cleanup(h.Close)
	part := "--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\n"
	if err := h.Write(append(enginetest.Request("POST", p.URI(), "localhost", nil,
		"Content-Type: multipart/form-data; boundary=x", "Content-Length: 1000000000"), part...)); err != nil {
		t.Fatal(err)
	}
	answered := make(chan *enginetest.Response, 1)
	go func() {
		r, _ := h.Read("POST")
		answered <- r
	}()
	for sent, block := 0, make([]byte, 1<<20); sent < 100<<20; sent += len(block) {
		if h.Write(block) != nil {
			break // the answer has come, or the end
		}
	}
	h.HalfClose()
	if r := <-answered; r != nil && r.Status != 413 {
		t.Errorf("answered %d", r.Status)
	}
	if files, _ := filepath.Glob(os.TempDir() + "/multipart-*"); len(files) > 0 {
		t.Errorf("the server has written %v", files)
	}
	alive(t, p)
}
