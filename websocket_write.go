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

// writeFrames writes the frames of a batch, and the close frame if it is due, in as few system calls as it can.
func (w *webSocket) writeFrames(b batch) error {
	if w.deflate {
		return w.writeDeflated(b)
	}
	if !b.closes && b.first.next == nil {
		return w.write(b.first.frames())
	}
	if !w.resumes() {
		return w.writeChunks(b)
	}
	var frames net.Buffers
	for c := b.first; c != nil; c = c.next {
		frames = append(frames, c.frames())
	}
	if b.closes {
		frames = append(frames, w.closeFrame())
	}
	return w.writeFully(func() (int64, error) { return frames.WriteTo(w.conn) })
}

// writeDeflated is writeFrames where permessage-deflate was agreed on.
func (w *webSocket) writeDeflated(b batch) error {
	threshold := w.s.srv.config.CompressionThreshold
	buf := bytebuffer.Acquire()
	defer bytebuffer.Release(buf)
	for c := b.first; c != nil; c = c.next {
		if c.noCompress || c.compressed {
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
	if b.closes {
		buf.B = append(buf.B, w.closeFrame()...)
	}
	copied := cap(buf.B)
	w.s.srv.queued.add(copied)
	defer w.s.srv.queued.add(-copied)
	return w.write(buf.B)
}

// writeChunks is writeFrames for connections that cannot take several slices at once.
func (w *webSocket) writeChunks(b batch) error {
	for c := b.first; c != nil; c = c.next {
		if err := w.write(c.frames()); err != nil {
			return err
		}
	}
	if b.closes {
		return w.write(w.closeFrame())
	}
	return nil
}

// resumes reports whether writing can go on after a write that has timed out. On a tls.Conn it cannot.
func (w *webSocket) resumes() bool {
	_, tcp := w.conn.(*net.TCPConn)
	return tcp
}

// tlsRecordSize is the most that is written at once where writing cannot go on after a timeout.
const tlsRecordSize = 16 << 10

// write writes whole frames. The caller has claimed the outbox, or the outbox has another holder still.
func (w *webSocket) write(frames []byte) error {
	for !w.resumes() && len(frames) > tlsRecordSize {
		if err := w.writeSome(frames[:tlsRecordSize]); err != nil {
			return err
		}
		frames = frames[tlsRecordSize:]
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
	return w.writeFully(func() (int64, error) {
		n, err := w.conn.Write(frames)
		frames = frames[n:]
		return int64(n), err
	})
}

// lastTryTime is the time for one more write after WriteTimeout: a process that was suspended may not
// have tried at all.
const lastTryTime = time.Millisecond

// writeFully repeats write until all is written, or the client has taken nothing for WriteTimeout: a client may be slow.
// A session that has ended gets CloseTimeout at most.
func (w *webSocket) writeFully(write func() (int64, error)) error {
	if w.broken {
		return net.ErrClosed
	}
	for over := false; ; {
		w.setWriteDeadline(over)
		n, err := w.writeOnce(write)
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

// writeOnce is one write of writeFully. On a tls.Conn it may take as long as the client takes something.
func (w *webSocket) writeOnce(write func() (int64, error)) (int64, error) {
	if _, secure := w.conn.(*tls.Conn); secure {
		defer w.watchTLSWrite().stop()
	}
	return write()
}

// setWriteDeadline sets the deadline of the next write of writeFully. final says that it is the last try.
func (w *webSocket) setWriteDeadline(final bool) {
	d := w.s.srv.config.WriteTimeout
	if final {
		d = lastTryTime
	}
	w.mu.Lock()
	w.lastTry = final
	_ = w.conn.SetWriteDeadline(time.Now().Add(d))
	w.mu.Unlock()
	w.shortenDeadline()
}

// closeFrame is the close frame for the reason with which the session ends. A client that has sent one gets its own code
// back.
func (w *webSocket) closeFrame() []byte {
	reason, err := w.s.closeCause()
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
	return ws.AppendClose(nil, reason.CloseCode(), "")
}
