package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// response reads an HTTP response. The body is valid until the next fill. A status other than the
// one wanted is an error that tells what the server said.
func (w *wire) response(want int) ([]byte, error) {
	head, err := w.head()
	if err != nil {
		return nil, err
	}
	status, length, chunked, err := parseHead(head)
	if err != nil {
		return nil, err
	}
	w.used(len(head))
	if status == 101 && want == 101 {
		return nil, nil
	}
	var body []byte
	if chunked {
		body, err = w.chunks()
	} else {
		body, err = w.take(length)
	}
	if err == nil && status != want {
		err = fmt.Errorf("status %d, want %d: %.200s", status, want, body)
	}
	return body, err
}

// head waits for all of a response's head, and returns it with the empty line.
func (w *wire) head() ([]byte, error) {
	for {
		if i := bytes.Index(w.unread(), []byte("\r\n\r\n")); i >= 0 {
			return w.unread()[:i+4], nil
		}
		if w.to-w.from > 64<<10 {
			return nil, fmt.Errorf("a response head of more than 64 KiB")
		}
		if err := w.fill(); err != nil {
			return nil, err
		}
	}
}

// take waits for n bytes and returns them, used.
func (w *wire) take(n int) ([]byte, error) {
	for w.to-w.from < n {
		if err := w.fill(); err != nil {
			return nil, err
		}
	}
	b := w.unread()[:n]
	w.used(n)
	return b, nil
}

// line waits for a line and returns it without its end, used.
func (w *wire) line() ([]byte, error) {
	for {
		if i := bytes.Index(w.unread(), []byte("\r\n")); i >= 0 {
			b := w.unread()[:i]
			w.used(i + 2)
			return b, nil
		}
		if err := w.fill(); err != nil {
			return nil, err
		}
	}
}

// chunks reads a chunked body.
func (w *wire) chunks() (body []byte, err error) {
	for {
		line, err := w.line()
		if err != nil {
			return nil, err
		}
		size, _, _ := bytes.Cut(line, []byte(";"))
		n, err := strconv.ParseUint(string(bytes.TrimSpace(size)), 16, 31)
		if err != nil {
			return nil, fmt.Errorf("a chunk of size %q", line)
		}
		if n == 0 {
			_, err := w.line() // no server here sends trailers
			return body, err
		}
		data, err := w.take(int(n))
		if err != nil {
			return nil, err
		}
		body = append(body, data...)
		if _, err := w.line(); err != nil {
			return nil, err
		}
	}
}

// parseHead reads what matters of a response's head.
func parseHead(head []byte) (status, length int, chunked bool, err error) {
	if len(head) < 12 || !bytes.HasPrefix(head, []byte("HTTP/1.1 ")) {
		return 0, 0, false, fmt.Errorf("no HTTP/1.1 response: %.60q", head)
	}
	if status, err = strconv.Atoi(string(head[9:12])); err != nil {
		return 0, 0, false, fmt.Errorf("status %q", head[9:12])
	}
	for len(head) > 0 {
		var line []byte
		line, head, _ = bytes.Cut(head, []byte("\r\n"))
		switch {
		case hasPrefixFold(line, "content-length:"):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(line[15:]))); err != nil || length < 0 {
				return 0, 0, false, fmt.Errorf("header %q", line)
			}
		case hasPrefixFold(line, "transfer-encoding:"):
			chunked = bytes.Contains(bytes.ToLower(line), []byte("chunked"))
		}
	}
	return status, length, chunked, nil
}

func hasPrefixFold(line []byte, prefix string) bool {
	return len(line) >= len(prefix) && bytes.EqualFold(line[:len(prefix)], []byte(prefix))
}
