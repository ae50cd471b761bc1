package abuse

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
)

// A wire is a connection on which every byte counts.
type wire struct {
	net.Conn
	r *bufio.Reader
}

// dial opens a connection. It ends by a reset, which leaves nothing behind on either side.
func (x *target) dial() (*wire, error) {
	c, err := net.DialTimeout("tcp4", x.addr, enginetest.Patience)
	if err != nil {
		return nil, err
	}
	return newWire(c), nil
}

func newWire(c net.Conn) *wire {
	_ = c.SetDeadline(time.Now().Add(enginetest.Patience))
	return &wire{c, bufio.NewReader(c)}
}

func (w *wire) end() { enginetest.Reset(w.Conn) }

// wire is dial for tests.
func (x *target) wire(t testing.TB) *wire {
	t.Helper()
	w, err := x.dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.end)
	return w
}

// say sends bytes, whatever they are.
func (w *wire) say(t testing.TB, s string) {
	t.Helper()
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// An answer is one response.
type answer struct {
	status int
	header map[string][]string // names as they came
	body   string
}

// get is the value of a header, all its lines joined.
func (a answer) get(name string) string { return strings.Join(a.header[name], " & ") }

// allowed are the header names that we, fasthttp or Fiber send. Whatever else is in an answer was injected.
var allowed = map[string]bool{
	"Server": true, "Date": true, "Content-Type": true, "Content-Length": true, "Connection": true, "Vary": true,
	"Cache-Control": true, "Retry-After": true, "Set-Cookie": true, "Upgrade": true, "Allow": true, "Content-Encoding": true,
	"Access-Control-Allow-Origin": true, "Access-Control-Allow-Credentials": true, "Access-Control-Allow-Methods": true,
	"Access-Control-Allow-Headers": true, "Access-Control-Max-Age": true, "Cross-Origin-Resource-Policy": true, "Sec-Websocket-Accept": true,
	"Sec-WebSocket-Accept": true, "Sec-Websocket-Protocol": true, "Sec-Websocket-Extensions": true, "Sec-Websocket-Version": true,
}

var statusLine = regexp.MustCompile(`^HTTP/1\.1 ([1-5][0-9][0-9]) [A-Za-z -]+$`)

// read takes one response off the connection, byte by byte as RFC 9112 has it. io.EOF means that there is none.
func (w *wire) read(method string) (a answer, err error) {
	line, err := w.line()
	if err != nil {
		return a, err
	}
	m := statusLine.FindStringSubmatch(line)
	if m == nil {
		return a, fmt.Errorf("%.200q is no status line", line)
	}
	a.status, _ = strconv.Atoi(m[1])
	a.header = map[string][]string{}
	for {
		if line, err = w.line(); err != nil {
			return a, fmt.Errorf("in the header: %w", err)
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ": ")
		if !ok || !allowed[name] || strings.ContainsFunc(value, isControl) {
			return a, fmt.Errorf("%.200q is no header line of ours", line)
		}
		a.header[name] = append(a.header[name], value)
	}
	lengths := a.header["Content-Length"]
	if a.status < 200 || a.status == 204 || method == "HEAD" {
		if method != "HEAD" && len(lengths) > 0 && lengths[0] != "0" {
			return a, fmt.Errorf("a %d with Content-Length %q", a.status, lengths)
		}
		return a, nil
	}
	if len(lengths) != 1 {
		return a, fmt.Errorf("%d values of Content-Length", len(lengths))
	}
	n, err := strconv.Atoi(lengths[0])
	if err != nil {
		return a, err
	}
	body := make([]byte, n)
	_, err = io.ReadFull(w.r, body)
	a.body = string(body)
	return a, err
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// line reads up to CRLF. A bare CR or LF is an error.
func (w *wire) line() (string, error) {
	s, err := w.r.ReadString('\n')
	if err == io.EOF && s != "" {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return s, err
	}
	s, ok := strings.CutSuffix(s, "\r\n")
	if !ok || strings.Contains(s, "\r") {
		return s, fmt.Errorf("%.200q ends without CRLF, or has a CR in it", s)
	}
	return s, nil
}

// answer is the next response, which there must be.
func (w *wire) answer(t testing.TB, method string) answer {
	t.Helper()
	a, err := w.read(method)
	if err != nil {
		t.Fatalf("no answer: %v", err)
	}
	return a
}

// all are the answers until the server hangs up, or resets the connection because it has not read everything.
// The method is that of the first.
func (w *wire) all(method string) (all []answer, err error) {
	for {
		a, err := w.read(method)
		if err != nil {
			return all, unlessGone(err)
		}
		all = append(all, a)
		if a.status >= 200 {
			method = ""
		}
	}
}

// answers is all for tests.
func (w *wire) answers(t testing.TB, method string) []answer {
	t.Helper()
	all, err := w.all(method)
	if err != nil {
		t.Fatalf("after %d answers: %v", len(all), err)
	}
	return all
}

// told sends bytes on a connection of their own and returns all that comes back.
func (x *target) told(text string) ([]answer, error) {
	w, err := x.dial()
	if err != nil {
		return nil, err
	}
	defer w.end()
	method, _, _ := strings.Cut(text, " ")
	if _, err := io.WriteString(w, text); unlessGone(err) != nil {
		return nil, err
	}
	return w.all(method)
}

// unlessGone is nil for an error that is the other side's end of the connection.
func unlessGone(err error) error {
	var e *net.OpError
	if err == io.EOF || errors.As(err, &e) && !e.Timeout() {
		return nil
	}
	return err
}

// statuses are those of the answers, "200 400".
func statuses(all []answer) string {
	var s []string
	for _, a := range all {
		s = append(s, strconv.Itoa(a.status))
	}
	return strings.Join(s, " ")
}

// request is the text of a request; lines are "Name: value".
func request(method, target, body string, lines ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: victim.example\r\n", method, target)
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	if method == "POST" || body != "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	return b.String() + "\r\n" + body
}

const hangUp = "Connection: close"

const (
	unknownSession = `{"code":1,"message":"Session ID unknown"}`
	badRequest     = `{"code":3,"message":"Bad request"}`
	badOrigin      = `{"code":4,"message":"Origin not allowed"}`
)

// openPath is the target of a handshake by polling.
const openPath = "/engine.io/?EIO=4&transport=polling"
