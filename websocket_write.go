package engineio

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"

	"github.com/fasteio/engineio/internal/bytebuffer"
	"github.com/fasteio/engineio/internal/ws"
)

// writeQueue writes the queue, and the close frame after it, in as few system calls as it can.
func (w *webSocket) writeQueue(queue *chunk, last bool) error {
	if w.deflate {
		return w.writeDeflated(queue, last)
	}
	if !last && queue.next == nil {
		return w.write(queue.frames())
	}
	if !w.resumes() {
		return w.writeChunks(queue, last)
	}
	var frames net.Buffers
	for c := queue; c != nil; c = c.next {
		frames = append(frames, c.frames())
	}
	if last {
		frames = append(frames, w.closeFrame())
	}
	return w.push(func() (int64, error) { return frames.WriteTo(w.conn) })
}

// writeDeflated is writeQueue where permessage-deflate was agreed on.
func (w *webSocket) writeDeflated(queue *chunk, last bool) error {
	threshold := w.s.srv.config.CompressionThreshold
	buf := bytebuffer.Acquire()
	defer bytebuffer.Release(buf)
	for c := queue; c != nil; c = c.next {
		if c.plain || c.packed {
			buf.B = append(buf.B, c.frames()...)
			continue
		}
		for frames := c.frames(); len(frames) > 0; {
			op, payload, rest := ws.Split(frames)
			if len(payload) >= threshold && op < ws.Close {
				buf.B = ws.AppendDeflated(buf.B, op, payload)
			} else {
				buf.B = append(buf.B, frames[:len(frames)-len(rest)]...)
			}
			frames = rest
		}
	}
	if last {
		buf.B = append(buf.B, w.closeFrame()...)
	}
	copied := cap(buf.B)
	w.s.out.total.add(copied)
	defer w.s.out.total.add(-copied)
	return w.write(buf.B)
}

// writeChunks is writeQueue for connections that cannot take several slices at once.
func (w *webSocket) writeChunks(queue *chunk, last bool) error {
	for c := queue; c != nil; c = c.next {
		if err := w.write(c.frames()); err != nil {
			return err
		}
	}
	if last {
		return w.write(w.closeFrame())
	}
	return nil
}

// resumes reports whether a write that has timed out can go on. A tls.Conn is broken by one.
func (w *webSocket) resumes() bool {
	_, tcp := w.conn.(*net.TCPConn)
	return tcp
}

// piece is what is written at once where a write that has timed out cannot go on: a record of TLS.
const piece = 16 << 10

// write writes whole frames. The caller has claimed the outbox, or nobody else writes yet.
func (w *webSocket) write(frames []byte) error {
	for !w.resumes() && len(frames) > piece {
		if err := w.writeSome(frames[:piece]); err != nil {
			return err
		}
		frames = frames[piece:]
	}
	return w.writeSome(frames)
}

// writeNow writes what the socket takes at once, and returns how much that is.
func (w *webSocket) writeNow(frames []byte) int {
	if w.broken {
		return 0
	}
	return w.reader.WriteNow(frames)
}

func (w *webSocket) writeSome(frames []byte) error {
	if frames = frames[w.writeNow(frames):]; len(frames) == 0 {
		return nil
	}
	return w.push(func() (int64, error) {
		n, err := w.conn.Write(frames)
		frames = frames[n:]
		return int64(n), err
	})
}

// lastTry is the time for one more write where the time for it is up: a process that stood still may not
// have tried at all.
const lastTry = time.Millisecond

// push repeats write until all is written, or nothing has moved for WriteTimeout: a slow client is
// not a dead one. A session that has ended gets CloseTimeout at most.
func (w *webSocket) push(write func() (int64, error)) error {
	if w.broken {
		return net.ErrClosed
	}
	for over := false; ; {
		w.limit(over)
		n, err := w.attempt(write)
		if err == nil {
			_ = w.conn.SetWriteDeadline(time.Time{}) // one that has passed would end the next WriteNow
			return nil
		}
		stuck := n == 0 || w.s.isClosed()
		if !errors.Is(err, os.ErrDeadlineExceeded) || over && stuck {
			w.broken = true
			return err
		}
		over = stuck
	}
}

// attempt is one write of push. That of a tls.Conn lasts as long as the client takes something.
func (w *webSocket) attempt(write func() (int64, error)) (int64, error) {
	if _, secure := w.conn.(*tls.Conn); secure {
		defer w.watchTLSWrite().stop()
	}
	return write()
}

// limit gives the next write of push its time.
func (w *webSocket) limit(final bool) {
	d := w.s.srv.config.WriteTimeout
	if final {
		d = lastTry
	}
	w.mu.Lock()
	w.final = final
	_ = w.conn.SetWriteDeadline(time.Now().Add(d))
	w.mu.Unlock()
	w.hurry()
}

func (w *webSocket) closeFrame() []byte {
	w.s.mu.Lock()
	code, err := w.s.reason.CloseCode(), w.s.err
	w.s.mu.Unlock()
	w.mu.Lock()
	echo := int(w.closeCode)
	w.mu.Unlock()
	if echo == noStatus {
		return ws.AppendHeader(nil, ws.Close, 0)
	}
	if echo != 0 { // RFC 6455 section 5.5.1
		return ws.AppendClose(nil, echo, "")
	}
	var broken *ws.Error
	if errors.As(err, &broken) {
		return ws.AppendClose(nil, broken.Code, broken.Reason)
	}
	return ws.AppendClose(nil, code, "")
}
