package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
	"github.com/fasteio/engineio/internal/ws"
)

// What a polling client reads when its session ends.
const (
	hearsClose   = "the close packet"
	hearsNoop    = "a noop"
	hearsUnknown = "400, code 1"
	hearsEmpty   = "200, no packet"
	hearsNothing = "no answer, or half of one"
)

// hearsNoFrame is the close code of a client which reads no close frame.
const hearsNoFrame = websocket.CloseAbnormalClosure

// A verdict is what a reason means, however it came about.
type verdict struct {
	initiator engineio.Initiator
	code      int    // of the close frame
	next      string // what the first GET after the end reads, when none was parked
}

var verdicts = map[engineio.Reason]verdict{
	engineio.ReasonServerClose:    {engineio.InitiatorServer, 1000, hearsClose},
	engineio.ReasonClientClose:    {engineio.InitiatorClient, 1000, hearsNoop},
	engineio.ReasonTransportClose: {engineio.InitiatorNetwork, 1000, hearsUnknown},
	engineio.ReasonTransportError: {engineio.InitiatorServer, 1002, hearsUnknown},
	engineio.ReasonPingTimeout:    {engineio.InitiatorNetwork, 1001, hearsUnknown},
	engineio.ReasonParseError:     {engineio.InitiatorServer, 1002, hearsUnknown},
	engineio.ReasonTooBig:         {engineio.InitiatorServer, 1009, hearsUnknown},
	engineio.ReasonSlowClient:     {engineio.InitiatorServer, 1008, hearsClose},
	engineio.ReasonPanic:          {engineio.InitiatorServer, 1011, hearsClose},
	engineio.ReasonShutdown:       {engineio.InitiatorServer, 1001, hearsClose},
	engineio.ReasonDrain:          {engineio.InitiatorServer, 1001, hearsClose},
	engineio.ReasonStalled:        {engineio.InitiatorNetwork, 1008, hearsUnknown},
}

// A finish is a way in which sessions end.
type finish struct {
	reason  engineio.Reason
	way     string
	provoke func(t *testing.T, e *exit)
	cause   func(e *exit, err error) bool // nil: there is no error behind the reason

	// never says of "polling", "websocket", "upgraded", "3" and "4", and of a polling client whose GET is "parked" or
	// that is "between" two, why it does not happen there.
	never map[string]string

	// What differs from the verdict: code and next, and what a parked GET reads where that is no last word.
	code         int
	parked, next string

	config engineio.Config
}

// An exit is one session that a finish ends.
type exit struct {
	*engine
	s        *engineio.Session
	c        enginetest.Client
	setup    enginetest.Setup
	parked   bool
	begun    chan struct{} // a callback that waits has begun
	leave    chan struct{} // closed to end it
	shutDown bool          // the HTTP server, so nothing can be asked afterwards
}

func (e *exit) onPolling() bool                  { return e.setup.Way == enginetest.ByPolling }
func (e *exit) webSocket() *enginetest.WebSocket { return e.c.(*enginetest.WebSocket) }
func (e *exit) polling() *enginetest.Polling     { return e.c.(*enginetest.Polling) }

// Why a finish does not happen somewhere.
const (
	noFrames   = "Long-polling has no frames."
	noPolls    = "A WebSocket has no GET and POST that could overlap, or be given up."
	noConn     = "A polling client that has no GET under way holds no connection which could end."
	noUpgrade  = "The session was opened on its transport."
	inOrder3   = "Revision 3 has a binary payload, so such a body is in order."
	alwaysPark = "The answer to a parked GET is what it is about."
	neverPark  = "A parked GET takes what would fill the queue."
	noAsking   = "The HTTP server takes no new request."
	noBody     = "It is the number of packets in the body of a POST."
	noReader   = "The HTTP server writes the answer to a poll, and tells nobody when it fails."
)

var (
	framesOnly  = map[string]string{"polling": noFrames}
	pollingOnly = map[string]string{"websocket": noPolls, "upgraded": noPolls}
)

func both(a map[string]string, where, why string) map[string]string {
	m := map[string]string{where: why}
	for k, v := range a {
		m[k] = v
	}
	return m
}

var finishes = slices.Concat([]finish{
	{reason: engineio.ReasonServerClose, way: "Close", provoke: func(_ *testing.T, e *exit) { e.s.Close() }},
	{reason: engineio.ReasonServerClose, way: "CloseNow", provoke: func(_ *testing.T, e *exit) { e.s.CloseNow() }},
	{reason: engineio.ReasonServerClose, way: "Disconnect", provoke: func(_ *testing.T,
		e *exit) {
		e.Disconnect(e.s.ID())
	}},
	{reason: engineio.ReasonServerClose, way: "Close in OnMessage", provoke: tells("close")},
	{reason: engineio.ReasonServerClose, way: "CloseNow in OnMessage", provoke: tells("close now")},
	{
		reason: engineio.ReasonServerClose, way: "Close, for whose last word nobody comes", next: hearsUnknown,
		config: engineio.Config{CloseTimeout: 20 * time.Millisecond}, never: map[string]string{"parked": alwaysPark},
		provoke: func(_ *testing.T, e *exit) {
			e.s.Close()
			<-e.s.Context().Done()
		},
	},
	{reason: engineio.ReasonClientClose, way: "close packet", provoke: sends(codec.Packet{Type: codec.Close})},
	{
		reason: engineio.ReasonClientClose, way: "close packet between others",
		provoke: sends(codec.Packet{Type: codec.Noop}, codec.Packet{Type: codec.Close}, enginetest.Text("panic")),
	},
	{reason: engineio.ReasonClientClose, way: "close frame", never: framesOnly,
		provoke: closes(websocket.FormatCloseMessage(1000, ""))},
	{reason: engineio.ReasonClientClose, way: "close frame, 4321", code: 4321, never: framesOnly,
		provoke: closes(websocket.FormatCloseMessage(4321, "x"))},
	{reason: engineio.ReasonClientClose, way: "close frame without a code", code: 1005, never: framesOnly, provoke: closes(nil)},
}, lost, rulesBroken, refusedInput, slowOnes, panics, departing)

// The connection ends without a word.
var lost = []finish{
	{
		reason: engineio.ReasonTransportClose, way: "FIN", code: hearsNoFrame, parked: hearsNothing,
		never:   map[string]string{"between": noConn},
		provoke: goes((*enginetest.HTTP).Close, (*enginetest.WebSocket).Close), cause: aborted(nil),
	}, {
		reason: engineio.ReasonTransportClose, way: "RST", code: hearsNoFrame, parked: hearsNothing,
		never:   map[string]string{"between": noConn},
		provoke: goes((*enginetest.HTTP).Reset, (*enginetest.WebSocket).Reset), cause: aborted(syscall.ECONNRESET),
	}, {
		reason: engineio.ReasonTransportClose, way: "half close", parked: hearsEmpty,
		never:   map[string]string{"between": noConn},
		provoke: goes((*enginetest.HTTP).HalfClose, func(w *enginetest.WebSocket) { enginetest.HalfClose(w.Conn.NetConn()) }),
		cause:   aborted(nil),
	}, {
		reason: engineio.ReasonTransportClose, way: "FIN in a frame", code: hearsNoFrame, never: framesOnly,
		provoke: func(_ *testing.T, e *exit) {
			_, _ = e.webSocket().Conn.NetConn().Write([]byte{0x81, 0xfe, 0xff})
			e.webSocket().Close()
		},
	}, {
		reason: engineio.ReasonTransportClose, way: "a write that fails", code: hearsNoFrame,
		never: map[string]string{"polling": noReader},
		provoke: func(t *testing.T, e *exit) { // while the reader is in a callback
			tells("wait")(t, e)
			<-e.begun
			e.webSocket().Reset()
			eventually(t, "a write fails", func() bool { return errors.Is(e.s.SendText("x"), engineio.ErrClosed) })
			close(e.leave)
		},
		cause: func(_ *exit, err error) bool {
			var failed *net.OpError
			return errors.As(err, &failed) && failed.Op == "write" || errors.Is(err, syscall.EPIPE) || errors.Is(err,
				syscall.ECONNRESET)
		},
	}, {
		reason: engineio.ReasonPingTimeout, way: "silence", // on a real clock only its end; heartbeat_test.go has the rest
		provoke: func(_ *testing.T, e *exit) { engineio.Expire(e.s) },
	}, {
		reason: engineio.ReasonStalled, way: "a client that reads nothing", code: hearsNoFrame, parked: hearsNothing,
		never:  map[string]string{"between": alwaysPark},
		config: engineio.Config{WriteTimeout: 2 * time.Millisecond, MaxQueuedBytes: 32 << 20},
		provoke: func(t *testing.T, e *exit) {
			e.shrink()
			if err := e.s.SendText(strings.Repeat("x", 12<<20)); err != nil {
				t.Error(err)
			}
			<-e.s.Context().Done()
		},
		cause: func(e *exit, err error) bool {
			return e.onPolling() && err.Error() == "the client does not take its response" || errors.Is(err,
				os.ErrDeadlineExceeded)
		},
	},
}

// The client breaks the rules of its transport.
var rulesBroken = append([]finish{
	{
		reason: engineio.ReasonTransportError, way: "two GETs", never: both(pollingOnly, "between", alwaysPark),
		cause:   isText("two GET requests at once"),
		provoke: func(t *testing.T, e *exit) { e.refused(t, "GET", "") },
	}, {
		reason: engineio.ReasonTransportError, way: "two POSTs", never: pollingOnly,
		cause: isText("two POST requests at once"),
		provoke: func(t *testing.T, e *exit) {
			first := make(chan *enginetest.Response, 1)
			body, _ := e.polling().Payload(enginetest.Text("wait"))
			go func() {
				r, _ := e.http.HTTP().Do("POST", e.polling().URI(), body)
				first <- r
			}()
			<-e.begun
			e.refused(t, "POST", string(body))
			close(e.leave)
			if r := <-first; r == nil || r.Status != 200 {
				t.Errorf("the first POST: %+v", r)
			}
		},
	}, {
		reason: engineio.ReasonTransportError, way: "binary body", never: both(pollingOnly, "3", inOrder3),
		provoke: func(t *testing.T, e *exit) { e.refused(t, "POST", "4x", "Content-Type: application/octet-stream") },
		cause:   isText("a binary request body in revision 4"),
	}, {
		reason: engineio.ReasonTransportError, way: "a heartbeat in the wrong direction",
		cause: isText("a heartbeat in the wrong direction"),
		provoke: func(t *testing.T, e *exit) {
			wrong := codec.Ping
			if e.setup.Revision == engineio.V3 {
				wrong = codec.Pong
			}
			sends(codec.Packet{Type: wrong})(t, e)
		},
	},
}, brokenFrames()...)

func brokenFrames() (list []finish) {
	for way, frame := range map[string]string{
		"a frame without a mask": "\x81\x01\x34", "reserved bits": "\xf1\x80\x00\x00\x00\x00",
		"an unknown opcode":         "\x83\x80\x00\x00\x00\x00",
		"a continuation of nothing": "\x80\x80\x00\x00\x00\x00", "a long control frame": "\x89\xfe\x00\x80\x00\x00\x00\x00",
		"text that is no UTF-8": "\x81\x82\x00\x00\x00\x004\xff",
	} {
		code := 1002
		if strings.Contains(way, "UTF-8") {
			code = 1007
		}
		list = append(list, finish{
			reason: engineio.ReasonTransportError, way: way, never: framesOnly, code: code,
			cause:   isFrame(code),
			provoke: func(_ *testing.T, e *exit) { _, _ = e.webSocket().Conn.NetConn().Write([]byte(frame)) },
		})
	}
	return list
}

// What the client sends is no packet, or too much.
var refusedInput = []finish{
	{reason: engineio.ReasonParseError, way: "an unknown type", provoke: utters("9"), cause: is(codec.ErrType)},
	{reason: engineio.ReasonParseError, way: "nothing", provoke: utters(""), cause: is(codec.ErrEmpty)},
	{reason: engineio.ReasonParseError, way: "bad base64", provoke: utters("b***"), cause: is(codec.ErrParse)},
	{
		reason: engineio.ReasonTooBig, way: "a message above MaxPayload", config: engineio.Config{MaxPayload: 1000},
		cause:   isFrame(1009),
		never:   map[string]string{"polling": "Such a POST is answered 413, and the session goes on."},
		provoke: utters("4" + strings.Repeat("x", 1000)),
	}, {
		reason: engineio.ReasonTooBig, way: "more than MaxPackets", config: engineio.Config{MaxPackets: 2},
		never:   map[string]string{"websocket": noBody, "upgraded": noBody},
		provoke: sends(make3(codec.Packet{Type: codec.Noop})...), cause: isText("the body has more than MaxPackets"),
	},
}

// The queue is full.
var slowOnes = []finish{
	{
		reason: engineio.ReasonSlowClient, way: "a full queue, OverflowClose", cause: is(engineio.ErrQueueFull),
		never:  map[string]string{"parked": neverPark},
		config: engineio.Config{MaxQueuedBytes: 10, Overflow: engineio.OverflowClose}, provoke: tells("fill"),
	}, {
		reason: engineio.ReasonSlowClient, way: "a full queue, Broadcast", cause: is(engineio.ErrQueueFull),
		never:  map[string]string{"parked": neverPark},
		config: engineio.Config{MaxQueuedBytes: 10}, provoke: tells("fill by Broadcast"),
	}, {
		reason: engineio.ReasonSlowClient, way: "all queues are full", cause: is(engineio.ErrQueueFull),
		never:  map[string]string{"parked": neverPark},
		config: engineio.Config{MaxQueuedBytesTotal: 1, Overflow: engineio.OverflowClose}, provoke: tells("fill"),
	},
}

var panics = []finish{
	{reason: engineio.ReasonPanic, way: "in OnMessage", provoke: tells("panic"), cause: isText("panic in OnMessage: as asked for")},
	{
		reason: engineio.ReasonPanic, way: "in OnHighWater", cause: isText("panic in OnHighWater: high water"),
		never:  map[string]string{"parked": neverPark},
		config: engineio.Config{HighWaterBytes: 1, OnHighWater: func(*engineio.Session) { panic("high water") }},
		provoke: func(_ *testing.T, e *exit) { // what has left again before anybody looked is not told
			for !errors.Is(e.s.SendText("more than the client reads"), engineio.ErrClosed) {
			}
		},
	}, {
		reason: engineio.ReasonPanic, way: "in OnUpgrade", cause: isText("panic in OnUpgrade: on upgrade"),
		never:   map[string]string{"polling": noUpgrade, "websocket": noUpgrade},
		config:  engineio.Config{OnUpgrade: func(*engineio.Session) { panic("on upgrade") }},
		provoke: func(*testing.T, *exit) {},
	},
}

// The server ends, or is emptied.
var departing = []finish{
	{reason: engineio.ReasonShutdown, way: "Shutdown", provoke: func(_ *testing.T,
		e *exit) {
		go func() { _ = e.Shutdown(context.Background()) }()
	}},
	{
		reason: engineio.ReasonShutdown, way: "Shutdown without time", cause: func(_ *exit,
			err error) bool {
			return err == nil || err == context.Canceled
		},
		provoke: func(_ *testing.T, e *exit) {
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			_ = e.Shutdown(ctx)
		},
	}, {
		reason: engineio.ReasonShutdown, way: "Shutdown of the HTTP server", never: map[string]string{"between": noAsking},
		provoke: func(t *testing.T, e *exit) {
			e.shutDown = true
			down := make(chan error, 1)
			go func() { down <- e.http.Shutdown() }()
			t.Cleanup(func() {
				if err := <-down; err != nil {
					t.Error(err)
				}
			})
		},
	},
	{reason: engineio.ReasonDrain, way: "Drain", provoke: func(_ *testing.T,
		e *exit) {
		go func() { _ = e.Drain(context.Background(), 0) }()
	}},
	{
		reason: engineio.ReasonDrain, way: "Drain over a window",
		provoke: func(_ *testing.T, e *exit) { go func() { _ = e.Drain(context.Background(), 10*time.Millisecond) }() },
	},
}

func make3(p codec.Packet) []codec.Packet { return []codec.Packet{p, p, p} }

// obey is an OnMessage that does what it is told.
func (e *exit) obey(s *engineio.Session, m engineio.Message) {
	switch string(m.Data) {
	case "close":
		s.Close()
	case "close now":
		s.CloseNow()
	case "panic":
		panic("as asked for")
	case "wait":
		close(e.begun)
		<-e.leave
	case "fill":
		for s.SendText(strings.Repeat("x", 5000)) == nil {
		}
	case "fill by Broadcast":
		p := engineio.PrepareText("twenty bytes at least")
		for s.Context().Err() == nil {
			e.Broadcast(p)
		}
	}
}

// sends has the client send packets.
func sends(packets ...codec.Packet) func(*testing.T, *exit) {
	return func(t *testing.T, e *exit) {
		if err := e.c.Send(packets...); err != nil && e.onPolling() {
			t.Error(err) // by WebSocket the server may have closed behind the first
		}
	}
}

func tells(what string) func(*testing.T, *exit) { return sends(enginetest.Text(what)) }

// utters has the client send what need not be a packet.
func utters(raw string) func(*testing.T, *exit) {
	return func(t *testing.T, e *exit) {
		if !e.onPolling() {
			_ = e.webSocket().Conn.WriteMessage(websocket.TextMessage, []byte(raw))
			return
		}
		body := raw
		if e.setup.Revision == engineio.V3 && raw != "" {
			body = fmt.Sprintf("%d:%s", len(raw), raw)
		}
		if r, err := e.polling().Post.Do("POST", e.polling().URI(), []byte(body)); err != nil || r.Status != 200 ||
			string(r.Body) != "ok" {
			t.Errorf("the POST: %+v, %v", r, err)
		}
	}
}

func closes(payload []byte) func(*testing.T, *exit) {
	return func(t *testing.T, e *exit) {
		if err := e.webSocket().Conn.WriteControl(websocket.CloseMessage, payload, time.Time{}); err != nil {
			t.Error(err)
		}
	}
}

func goes(poll func(*enginetest.HTTP), socket func(*enginetest.WebSocket)) func(*testing.T, *exit) {
	return func(_ *testing.T, e *exit) {
		if e.onPolling() {
			poll(e.polling().Get)
		} else {
			socket(e.webSocket())
		}
	}
}

// refused makes a request that is answered 400, with no body.
func (e *exit) refused(t *testing.T, method, body string, header ...string) {
	t.Helper()
	h := e.http.HTTP()
	defer h.Close()
	r, err := h.Do(method, e.polling().URI(), []byte(body), header...)
	if err != nil || r.Status != 400 || len(r.Body) != 0 {
		t.Errorf("the %s: %+v, %v", method, r, err)
	}
}

// shrink makes the client take little before it reads.
func (e *exit) shrink() {
	var c net.Conn
	if e.onPolling() {
		c, _ = e.polling().Get.Conn()
	} else {
		c = e.webSocket().Conn.NetConn()
	}
	_ = c.(*net.TCPConn).SetReadBuffer(16 << 10)
}

func is(target error) func(*exit, error) bool {
	return func(_ *exit, err error) bool { return errors.Is(err, target) }
}

func isText(text string) func(*exit, error) bool {
	return func(_ *exit, err error) bool { return err != nil && err.Error() == text }
}

func isFrame(code int) func(*exit, error) bool {
	return func(_ *exit, err error) bool {
		var broken *ws.Error
		return errors.As(err, &broken) && broken.Code == code
	}
}

// aborted is the cause of a poll that was given up, and of a WebSocket that has ended like this.
func aborted(socket error) func(*exit, error) bool {
	return func(e *exit, err error) bool {
		if e.onPolling() {
			return err != nil && err.Error() == "the client aborted its poll"
		}
		return errors.Is(err, socket)
	}
}

// happens reports whether a finish comes about there.
func (f *finish) happens(setup enginetest.Setup) bool {
	return f.never[string(setup.Way)] == "" && f.never[fmt.Sprint(int(setup.Revision))] == ""
}

func TestHowSessionsEnd(t *testing.T) {
	t.Parallel()
	for _, f := range finishes {
		t.Run(f.reason.String()+"/"+f.way, func(t *testing.T) {
			eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
				if !f.happens(setup) {
					return
				}
				if setup.Way != enginetest.ByPolling {
					f.run(t, on, setup, false)
					return
				}
				for where, parked := range map[string]bool{"parked": true, "between": false} {
					if f.never[where] == "" {
						f.run(t, on, setup, parked)
					}
				}
			})
		})
	}
}

// run ends one session, and asks everybody what they know.
func (f *finish) run(t *testing.T, on stack, setup enginetest.Setup, parked bool) {
	t.Helper()
	e := &exit{setup: setup, parked: parked, begun: make(chan struct{}), leave: make(chan struct{})}
	config := f.config
	config.OnMessage = e.obey
	opened := make(chan *engineio.Session, 1)
	config.OnConnect = func(s *engineio.Session) { opened <- s }
	e.engine = serve(t, on, config)
	e.c = enginetest.Connect(t, e.http, setup)
	e.s = <-opened
	before := e.s.Context()
	if setup.Way == enginetest.ByUpgrade && config.OnUpgrade == nil {
		eventually(t, "upgraded", func() bool { return e.s.Transport() == engineio.WebSocket })
	}
	if parked {
		startPoll(t, e.polling())
		eventually(t, "parked", func() bool { return engineio.Parked(e.s) })
	}
	f.provoke(t, e)
	if e.onPolling() {
		f.checkPolling(t, e)
	} else {
		f.checkWebSocket(t, e)
	}
	end := e.ended(t, f.reason)
	f.checkEnding(t, e, end)
	<-before.Done()
	for _, ctx := range []context.Context{before, e.s.Context()} {
		var cause *engineio.CloseError
		if err := context.Cause(ctx); !errors.As(err, &cause) || cause.Reason != f.reason || cause.Err != end.err ||
			!errors.Is(err, engineio.ErrClosed) {
			t.Errorf("the cause of Context is %v", err)
		}
	}
	if e.onPolling() && !e.shutDown {
		e.polling().Get.Close()
		e.polling().Get = e.http.HTTP()
		f.hears(t, e, "a GET at last", hearsUnknown)
		goneByPost(t, e.polling())
	}
	if n := len(e.ends); n > 0 {
		t.Errorf("OnDisconnect ran %d times too often", n)
	}
}

func (f *finish) checkEnding(t *testing.T, e *exit, end ending) {
	t.Helper()
	v := verdicts[f.reason]
	if end.s != e.s {
		t.Error("another session has ended")
	}
	if f.reason.Initiator() != v.initiator || f.reason.CloseCode() != v.code {
		t.Errorf("initiator %v, code %d", f.reason.Initiator(), f.reason.CloseCode())
	}
	if f.cause == nil && end.err != nil || f.cause != nil && !f.cause(e, end.err) {
		t.Errorf("the error behind it is %#v: %v", end.err, end.err)
	}
	for name, err := range map[string]error{
		"SendText": e.s.SendText("late"), "SendBinary": e.s.SendBinary(nil),
		"SendPrepared":    e.s.SendPrepared(engineio.PrepareText("late")),
		"a volatile Send": e.s.Send(engineio.Message{}, engineio.Volatile),
	} {
		if !errors.Is(err, engineio.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, ok := e.Session(e.s.ID()); ok || e.Len() != 0 {
		t.Errorf("the session is to be found, or counted: %d", e.Len())
	}
}

func (f *finish) checkWebSocket(t *testing.T, e *exit) {
	t.Helper()
	want := f.code
	if want == 0 {
		want = verdicts[f.reason].code
	}
	if code := e.webSocket().CloseCode(); code != want {
		t.Errorf("close code %d, want %d", code, want)
	}
	e.webSocket().Close()
}

func (f *finish) checkPolling(t *testing.T, e *exit) {
	t.Helper()
	switch {
	case e.parked && f.parked != "":
		f.hears(t, e, "the parked GET", f.parked)
	case e.parked && f.reason == engineio.ReasonClientClose:
		f.hears(t, e, "the parked GET", hearsNoop)
	case e.parked:
		f.hears(t, e, "the parked GET", hearsClose)
	default:
		eventually(t, "the session is over", func() bool { _, found := e.Session(e.s.ID()); return !found })
		want := f.next
		if want == "" {
			want = verdicts[f.reason].next
		}
		f.hears(t, e, "the next GET", want)
	}
}

// hears checks the answer to a GET: to the one that is parked, or to one that it makes.
func (f *finish) hears(t *testing.T, e *exit, what, want string) {
	t.Helper()
	p := e.polling()
	if what != "the parked GET" {
		startPoll(t, p)
	}
	r, err := p.Get.Read("GET")
	got := hearsNothing
	if err == nil {
		got = fmt.Sprintf("%d %.200q", r.Status, r.Body)
		for name, answer := range map[string]string{
			hearsClose: "200 1", hearsNoop: "200 6", hearsEmpty: "200 ", hearsUnknown: "400 " + unknownSession,
		} {
			body := string(r.Body)
			if e.setup.Revision == engineio.V3 {
				body = strings.TrimPrefix(body, "1:")
			}
			if fmt.Sprintf("%d %s", r.Status, body) == answer {
				got = name
			}
		}
	}
	if got != want {
		t.Errorf("%s reads %s, want %s", what, got, want)
	}
}

// The table has every reason on every transport in both revisions, and says of what it leaves out why.
func TestEveryReasonHasItsWays(t *testing.T) {
	ways := make(map[string]bool)
	for _, f := range finishes {
		if _, known := verdicts[f.reason]; !known || ways[f.way+f.reason.String()] {
			t.Errorf("%v, %s: no verdict, or there twice", f.reason, f.way)
		}
		ways[f.way+f.reason.String()] = true
		for where, why := range f.never {
			if !slices.Contains([]string{"polling", "websocket", "upgraded", "3", "4", "parked", "between"}, where) ||
				!strings.HasSuffix(why, ".") {
				t.Errorf("%v, %s: never %s because %q", f.reason, f.way, where, why)
			}
		}
	}
	n := 0
	for r := engineio.Reason(1); !strings.HasPrefix(r.String(), "Reason("); r++ {
		n++
		for _, way := range enginetest.Ways {
			for _, revision := range enginetest.Revisions {
				setup := enginetest.Setup{Way: way, Revision: revision}
				if !slices.ContainsFunc(finishes, func(f finish) bool { return f.reason == r && f.happens(setup) }) {
					t.Errorf("%v on %s, revision %d, is in no way provoked", r, way, revision)
				}
			}
		}
	}
	if n != len(verdicts) || n < 12 {
		t.Errorf("there are %d reasons and %d verdicts", n, len(verdicts))
	}
}
