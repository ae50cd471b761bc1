package main

import (
	"encoding/json"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/benchmarks/internal/outcome"
	"github.com/fasteio/engineio/benchmarks/internal/stamp"
)

// serve runs an engine with a handler of messages, and a broadcast, until the test ends.
func serve(t *testing.T, onMessage func(s *engineio.Session, m engineio.Message)) (url string) {
	t.Helper()
	srv := engineio.New(engineio.Config{OnMessage: onMessage})
	server := &fasthttp.Server{Handler: srv.Handler(func(ctx *fasthttp.RequestCtx) {
		q := ctx.QueryArgs()
		for i := range q.GetUintOrZero("count") {
			m := stamp.Message(0, uint64(q.GetUintOrZero("first")+i), q.GetUintOrZero("bytes"))
			srv.Broadcast(engineio.PrepareText(string(m)))
		}
	})}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(ln)
	t.Cleanup(func() { _ = server.Shutdown() })
	return "http://" + ln.Addr().String() + "/engine.io/"
}

func echo(s *engineio.Session, m engineio.Message) { _ = s.SendText(string(m.Data)) }

func load(t *testing.T, url string, args string) *outcome.Outcome {
	t.Helper()
	var out strings.Builder
	all := append([]string{"-url", url, "-json", "-clients", "4", "-duration", "150ms", "-warmup", "20ms"}, strings.Fields(args)...)
	if err := run(all, &out); err != nil {
		t.Fatal(err)
	}
	o := &outcome.Outcome{}
	if err := json.Unmarshal([]byte(out.String()), o); err != nil {
		t.Fatal(err)
	}
	return o
}

func TestEveryModeFindsAGoodServerGood(t *testing.T) {
	url := serve(t, echo)
	for _, args := range []string{
		"", "-pipeline 16", "-size 200000 -pipeline 3", "-transport upgrade -pipeline 8", "-revision 3 -pipeline 4",
		"-transport polling", "-transport polling -pipeline 32", "-transport polling -revision 3 -pipeline 8",
		"-rate 500", "-rate 500 -transport polling", "-rate 300 -transport polling -revision 3", "-rate 300 -transport upgrade",
		"-connect", "-connect -transport polling", "-connect -transport upgrade", "-connect -revision 3 -transport upgrade",
		"-idle", "-idle -transport polling",
		"-broadcast -size 256", "-broadcast -pipeline 5",
	} {
		t.Run(strings.ReplaceAll(args, " ", ""), func(t *testing.T) {
			// On a busy machine nothing may be back within the shortest run.
			o := load(t, url, args)
			for d := time.Second; o.Count == 0 && o.Errors() == 0 && d < 20*time.Second; d *= 4 {
				o = load(t, url, args+" -duration "+d.String())
			}
			if o.Count == 0 || o.Errors() != 0 {
				t.Errorf("got %+v", o)
			}
		})
	}
}

func TestOpenLoopKeepsItsRate(t *testing.T) {
	o := load(t, serve(t, echo), "-rate 1000 -duration 500ms")
	if o.Rate < 900 || o.Rate > 1100 || o.Errors() != 0 {
		t.Errorf("got %+v", o)
	}
}

// All that were due while the server stood still have waited, not only the one it stood still on.
func TestAStallIsChargedToAllThatWait(t *testing.T) {
	const stall = 200 * time.Millisecond
	var n atomic.Int64
	url := serve(t, func(s *engineio.Session, m engineio.Message) {
		if n.Add(1) == 100 {
			time.Sleep(stall)
		}
		echo(s, m)
	})
	// Of 500 messages 200 come late, by 100 ms on average.
	if o := load(t, url, "-clients 1 -rate 1000 -duration 500ms -warmup 10ms"); o.P90 < 50_000 || o.Errors() != 0 {
		t.Errorf("got %+v", o)
	}
}

// A server that breaks one message of many must be found out on every way.
func TestBadServersAreFoundOut(t *testing.T) {
	for name, bad := range map[string]func(s *engineio.Session, m engineio.Message){
		"changes":  func(s *engineio.Session, m engineio.Message) { m.Data[len(m.Data)-1]++; echo(s, m) },
		"repeats":  func(s *engineio.Session, m engineio.Message) { echo(s, m); echo(s, m) },
		"swallows": func(*engineio.Session, engineio.Message) {},
	} {
		for _, args := range []string{"-pipeline 8", "-transport polling -pipeline 8", "-rate 200", "-rate 200 -transport polling"} {
			t.Run(name+strings.ReplaceAll(args, " ", ""), func(t *testing.T) {
				var n atomic.Int64
				url := serve(t, func(s *engineio.Session, m engineio.Message) {
					if n.Add(1) == 20 {
						bad(s, m)
					} else {
						echo(s, m)
					}
				})
				if o := load(t, url, args+" -timeout 300ms"); o.Mismatched+o.Lost+o.Timeouts == 0 {
					t.Errorf("got %+v", o)
				}
			})
		}
	}
}

func TestReorderedEchoesAreMismatches(t *testing.T) {
	var held atomic.Pointer[string]
	url := serve(t, func(s *engineio.Session, m engineio.Message) {
		text := string(m.Data)
		if last := held.Swap(nil); last != nil {
			_ = s.SendText(text)
			_ = s.SendText(*last)
			return
		}
		held.Store(&text)
	})
	if o := load(t, url, "-clients 1 -pipeline 8 -timeout 300ms"); o.Mismatched != 1 {
		t.Errorf("got %+v", o)
	}
}

// A server that stops answering ends the run, and what was under way is lost.
func TestAStalledRunEnds(t *testing.T) {
	var n atomic.Int64
	url := serve(t, func(s *engineio.Session, m engineio.Message) {
		if n.Add(1) < 50 {
			echo(s, m)
		}
	})
	o := load(t, url, "-pipeline 4 -timeout 200ms -duration 1h")
	if o.Timeouts != 4 || o.Lost == 0 {
		t.Errorf("got %+v", o)
	}
}

func TestNoServerIsAnError(t *testing.T) {
	if err := run([]string{"-url", "http://127.0.0.1:1/engine.io/", "-duration", "1s"}, &strings.Builder{}); err == nil {
		t.Error("no error without a server")
	}
}

func TestFlagsThatMakeNoSense(t *testing.T) {
	for _, args := range []string{
		"-url ftp://127.0.0.1/", "-transport pigeon", "-revision 5", "-clients 0", "-size 15", "-pipeline 0",
		"-rate -1", "-pipeline 64 -size 1000000", "-duration 0s", "-broadcast -transport polling",
	} {
		if _, err := parse(strings.Fields(args)); err == nil {
			t.Errorf("%s: accepted", args)
		}
	}
}
