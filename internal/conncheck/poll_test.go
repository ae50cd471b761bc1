package conncheck

import (
	"crypto/tls"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/enginetest"
)

func TestWakeEndsWait(t *testing.T) {
	each(t, func(t *testing.T, server, client net.Conn) {
		var p Poll
		for range 50 { // recycled, as a session does
			p.Arm()
			done := waiting(&p, server)
			p.Wake()
			if !<-done {
				t.Fatal("Wait reports a dead peer after Wake")
			}
		}
		// The deadlines it used are gone: a read waits and gets what is sent.
		go client.Write([]byte("x"))
		var b [1]byte
		if _, err := server.Read(b[:]); err != nil {
			t.Fatalf("read after Wait: %v", err)
		}
	})
}

func TestWakeBeforeWait(t *testing.T) {
	each(t, func(t *testing.T, server, _ net.Conn) {
		var p Poll
		p.Arm()
		p.Wake()
		p.Wake()
		if !p.Wait(server) {
			t.Fatal("a wake-up since Arm was lost")
		}
		p.Arm() // forgets both
		done := waiting(&p, server)
		select {
		case <-done:
			t.Fatal("Wait returned on a wake-up from before Arm")
		case <-time.After(10 * time.Millisecond):
		}
		p.Wake()
		<-done
	})
}

func TestPeerLeaves(t *testing.T) {
	if !canWatch {
		t.Skip("no detection on this system")
	}
	leave := map[string]func(net.Conn){
		"FIN":        func(c net.Conn) { c.Close() },
		"RST":        func(c net.Conn) { bare(c).SetLinger(0); bare(c).Close() },
		"half close": func(c net.Conn) { bare(c).CloseWrite() },
	}
	if runtime.GOOS == "linux" {
		leave["bytes and FIN"] = func(c net.Conn) { c.Write([]byte("GET / HTTP/1.1\r\n")); c.Close() }
	}
	for name, leave := range leave {
		for _, when := range []string{"before", "during"} {
			t.Run(name+"/"+when, func(t *testing.T) {
				watched(t, func(t *testing.T, server, client net.Conn) {
					var p Poll
					p.Arm()
					if p.Gone(server) {
						t.Fatal("gone before it left")
					}
					if when == "before" {
						leave(client)
					}
					done := waiting(&p, server)
					if when == "during" {
						time.Sleep(time.Millisecond) // likely parked; both orders must do
						leave(client)
					}
					select {
					case alive := <-done:
						if alive {
							t.Fatal("Wait says the peer is there")
						}
					case <-time.After(5 * time.Second):
						t.Fatal("not noticed")
					}
					if !p.Gone(server) {
						t.Error("Gone says it is there")
					}
				})
			})
		}
	}
}

func TestUnreadBytesAreLife(t *testing.T) {
	watched(t, func(t *testing.T, server, client net.Conn) {
		var p Poll
		p.Arm()
		done := waiting(&p, server)
		client.Write([]byte("GET"))
		select {
		case <-done:
			t.Fatal("a pipelined request ended the wait")
		case <-time.After(20 * time.Millisecond):
		}
		p.Wake()
		if !<-done || p.Gone(server) {
			t.Fatal("peer taken for dead")
		}
	})
}

func TestReadTimeoutDoesNotEndWait(t *testing.T) {
	watched(t, func(t *testing.T, server, _ net.Conn) {
		server.SetReadDeadline(time.Now().Add(5 * time.Millisecond)) // as fasthttp leaves it
		var p Poll
		p.Arm()
		done := waiting(&p, server)
		select {
		case <-done:
			t.Fatal("the server's read deadline ended the wait")
		case <-time.After(30 * time.Millisecond):
		}
		p.Wake()
		<-done
	})
}

// Recycled polls, a waker that never pauses and never stops for the next request.
func TestConcurrentWake(t *testing.T) {
	each(t, func(t *testing.T, server, client net.Conn) {
		var p Poll
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						p.Wake()
						runtime.Gosched()
					}
				}
			})
		}
		for i := range 3000 {
			p.Arm()
			if !p.Wait(server) {
				t.Fatal("dead peer")
			}
			if i%100 == 0 { // the next request is read while wakers go on
				go client.Write([]byte("x"))
				var b [1]byte
				if _, err := server.Read(b[:]); err != nil {
					t.Fatalf("a late wake-up reached the next read: %v", err)
				}
			}
		}
		close(stop)
		wg.Wait()
	})
}

func TestPerIPWrapper(t *testing.T) {
	if !canWatch {
		t.Skip("no detection on this system")
	}
	for _, secure := range []bool{false, true} {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		dial := net.Dial
		if secure {
			conf := enginetest.ServerTLS(t)
			ln = tls.NewListener(ln, conf)
			dial = func(n, a string) (net.Conn, error) {
				return tls.Dial(n, a, &tls.Config{InsecureSkipVerify: true})
			}
		}
		alive := make(chan bool, 1)
		srv := &fasthttp.Server{
			MaxConnsPerIP: 2,
			Handler: func(ctx *fasthttp.RequestCtx) {
				var p Poll
				p.Arm()
				alive <- p.Wait(ctx.Conn())
			},
		}
		go srv.Serve(ln)
		c, err := dial("tcp4", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
		time.Sleep(5 * time.Millisecond)
		c.Close()
		select {
		case a := <-alive:
			if a {
				t.Errorf("secure %v: alive", secure)
			}
		case <-time.After(5 * time.Second):
			t.Errorf("secure %v: not noticed through the wrapper", secure)
		}
		srv.Shutdown()
	}
}

func TestRelease(t *testing.T) {
	each(t, func(t *testing.T, server, _ net.Conn) {
		var p Poll
		for range 2 {
			p.Arm()
			done := waiting(&p, server)
			p.Wake()
			<-done
			p.Release()
			if p.conn != nil || p.raw != nil {
				t.Fatal("connection kept")
			}
		}
	})
}

func BenchmarkGone(b *testing.B) {
	server, _ := tcpPair(b)
	var p Poll
	b.ReportAllocs()
	for b.Loop() {
		p.Gone(server)
	}
}

func BenchmarkWakeWait(b *testing.B) {
	server, _ := tcpPair(b)
	var p Poll
	go1, woken := make(chan struct{}), make(chan struct{})
	go func() {
		for range go1 {
			p.Wake()
			woken <- struct{}{}
		}
	}()
	defer close(go1)
	b.ReportAllocs()
	for b.Loop() {
		p.Arm()
		go1 <- struct{}{}
		p.Wait(server)
		<-woken
	}
}

// each runs f on every kind of connection, watched on those with a descriptor.
func each(t *testing.T, f func(t *testing.T, server, client net.Conn)) {
	t.Run("pipe", func(t *testing.T) {
		server, client := net.Pipe()
		t.Cleanup(func() { server.Close(); client.Close() })
		f(t, server, client)
	})
	watched(t, f)
}

func watched(t *testing.T, f func(t *testing.T, server, client net.Conn)) {
	t.Run("tcp", func(t *testing.T) {
		server, client := tcpPair(t)
		f(t, server, client)
	})
	t.Run("tls", func(t *testing.T) {
		server, client := tcpPair(t)
		s := tls.Server(server, enginetest.ServerTLS(t))
		c := tls.Client(client, &tls.Config{InsecureSkipVerify: true})
		shaken := make(chan error, 1)
		go func() { shaken <- s.Handshake() }()
		if err := c.Handshake(); err != nil {
			t.Fatal(err)
		}
		if err := <-shaken; err != nil {
			t.Fatal(err)
		}
		f(t, s, c)
	})
}

func waiting(p *Poll, c net.Conn) <-chan bool {
	done := make(chan bool, 1)
	go func() { done <- p.Wait(c) }()
	return done
}

func bare(c net.Conn) *net.TCPConn {
	beneath, _ := unwrap(c)
	return beneath.(*net.TCPConn)
}

func tcpPair(t testing.TB) (server, client net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if client, err = net.Dial("tcp4", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); client.Close() })
	return server, client
}
