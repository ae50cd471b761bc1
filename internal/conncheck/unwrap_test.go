package conncheck

import (
	"crypto/tls"
	"net"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/enginetest"
)

// Wrappers as they are found around a listener's connections. Those that offer what they wrap are named for it.
type (
	embeds       struct{ net.Conn }
	offersRaw    struct{ net.Conn }
	offersNet    struct{ net.Conn }
	offersTCP    struct{ net.Conn }
	incomparable struct {
		net.Conn
		buffered []byte
	}
	hides  struct{ socket }
	socket interface{ net.Conn }
)

func (w *offersRaw) Raw() net.Conn                 { return w.Conn }
func (w offersNet) NetConn() net.Conn              { return w.Conn }
func (w *offersTCP) TCPConn() (*net.TCPConn, bool) { c, ok := w.Conn.(*net.TCPConn); return c, ok }

var wrappers = map[string]struct {
	wrap   func(net.Conn) net.Conn
	parks  bool
	nobody bool // can watch it
}{
	"Raw":                    {func(c net.Conn) net.Conn { return &offersRaw{c} }, true, false},
	"NetConn":                {func(c net.Conn) net.Conn { return offersNet{c} }, true, false},
	"TCPConn":                {func(c net.Conn) net.Conn { return &offersTCP{c} }, true, false},
	"NetConn of Raw":         {func(c net.Conn) net.Conn { return offersNet{&offersRaw{c}} }, true, false},
	"embedded":               {func(c net.Conn) net.Conn { return &embeds{c} }, false, false},
	"embedded, by value":     {func(c net.Conn) net.Conn { return embeds{c} }, false, false},
	"embedded twice":         {func(c net.Conn) net.Conn { return embeds{&embeds{c}} }, false, false},
	"embedded, Raw":          {func(c net.Conn) net.Conn { return embeds{&offersRaw{c}} }, false, false},
	"embedded, incomparable": {func(c net.Conn) net.Conn { return incomparable{c, []byte("GET")} }, false, false},
	"TLS":                    {func(c net.Conn) net.Conn { return tls.Server(&offersRaw{c}, nil) }, true, false},
	"hidden":                 {func(c net.Conn) net.Conn { return hides{c} }, false, true},
	"hidden, under TLS":      {func(c net.Conn) net.Conn { return tls.Server(hides{c}, nil) }, false, true},
}

// A client that leaves is noticed behind a wrapper too. Deadlines are set only on what the wrapper offers: what it
// embeds may be shared, as the connection of an SSH channel is.
func TestPeerLeavesBehindAWrapper(t *testing.T) {
	if !canWatch {
		t.Skip("no detection on this system")
	}
	for name, w := range wrappers {
		t.Run(name, func(t *testing.T) {
			server, client := tcpPair(t)
			seen := &deadlines{Conn: server}
			c := w.wrap(server)
			if !w.parks && !w.nobody {
				c = w.wrap(seen)
			}
			if got := Blind(c) != ""; got != w.nobody {
				t.Fatalf("Blind is %q", Blind(c))
			}
			if w.nobody {
				return
			}
			for range 2 { // the same Poll is used for the connection's next request
				var p Poll
				for range 2 {
					p.Arm()
					done := waiting(&p, c)
					time.Sleep(10 * time.Millisecond) // likely parked; both orders must do
					p.Wake()
					if !<-done {
						t.Fatal("a wake-up is taken for the client's end")
					}
				}
				if p.ours != w.parks {
					t.Errorf("it parks: %v", p.ours)
				}
			}
			var p Poll
			p.Arm()
			done := waiting(&p, c)
			client.Close()
			if <-done {
				t.Error("the client is there")
			}
			if seen.set {
				t.Error("a deadline was set on what is not ours")
			}
		})
	}
}

// deadlines is a socket that notes whether its deadlines are set.
type deadlines struct {
	net.Conn
	set bool
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.set = true
	return d.Conn.SetReadDeadline(at)
}

// One that is only looked at is noticed a second after it left.
func TestLooksOnceASecond(t *testing.T) {
	if !canWatch {
		t.Skip("no detection on this system")
	}
	server, client := tcpPair(t)
	synctest.Test(t, func(t *testing.T) {
		var p Poll
		p.Arm()
		begin := time.Now()
		time.AfterFunc(2500*time.Millisecond, func() { client.Close() })
		if p.Wait(&embeds{server}) || time.Since(begin) != 3*time.Second {
			t.Errorf("it ends after %v", time.Since(begin))
		}
	})
}

func TestBlindOnlyToStrangers(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	server, _ := tcpPair(t)
	var ctx fasthttp.RequestCtx
	ctx.Init(&fasthttp.Request{}, nil, nil)
	for name, c := range map[string]net.Conn{
		"nil": nil, "a pipe": a, "TLS on a pipe": tls.Server(a, nil), "a socket": server, "a test's": ctx.Conn(),
	} {
		if got := Blind(c); got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// PerIP looks into types of fasthttp's that are not exported. One that it does not know must not pass for a plain
// connection in silence: it is recycled when it was closed.
func TestPerIPKnowsFasthttp(t *testing.T) {
	got := make(chan net.Conn, 1)
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &fasthttp.Server{MaxConnsPerIP: 2, Handler: func(ctx *fasthttp.RequestCtx) {
		conn := ctx.Conn()
		inner, known := PerIP(conn)
		if _, tcp := inner.(*net.TCPConn); !tcp || !known {
			t.Errorf("PerIP of a %T is a %T, known %v: fasthttp has changed, PerIP must follow", conn, inner, known)
		}
		ctx.Hijack(func(c net.Conn) { got <- c })
	}}
	go srv.Serve(ln)
	defer srv.Shutdown()
	client, err := net.Dial("tcp4", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	client.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	hijacked := <-got
	if inner, known := PerIP(hijacked); known || inner != hijacked {
		t.Errorf("PerIP takes a %T of fasthttp's for a known one", hijacked)
	}
	for _, c := range []net.Conn{client, &embeds{client}, embeds{client}, enginetestConn(t)} {
		if _, known := PerIP(c); !known {
			t.Errorf("a %v is taken for one of fasthttp's", reflect.TypeOf(c))
		}
	}
}

func enginetestConn(t *testing.T) net.Conn {
	server, _ := tcpPair(t)
	return tls.Server(server, enginetest.ServerTLS(t))
}
