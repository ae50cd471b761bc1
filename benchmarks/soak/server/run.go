package server

import (
	"io"
	"net/rpc"
	"sync"
)

// Run obeys calls until the program that makes them is gone, or until the engine can serve no more.
func Run(in io.ReadCloser, out io.Writer, plan Plan) error {
	s := &Server{plan: plan, failed: make(chan error, 1)}
	select {
	case err := <-s.failed:
		return err
	case <-Obey("Server", s, in, out):
		return nil
	}
}

// Obey begins to serve calls of the methods of v. What it returns is closed when in has ended; calls may be
// under way then, and nobody waits for their answers.
func Obey(name string, v any, in io.ReadCloser, out io.Writer) (gone <-chan struct{}) {
	calls := rpc.NewServer()
	if err := calls.RegisterName(name, v); err != nil {
		panic(err) // v has no methods that can be called
	}
	p := &pipe{ReadCloser: in, Writer: out, gone: make(chan struct{})}
	go calls.ServeConn(p)
	return p.gone
}

// A pipe makes one connection of two halves.
type pipe struct {
	io.ReadCloser
	io.Writer
	gone chan struct{} // closed when reading has failed
	once sync.Once
}

func (p *pipe) Read(b []byte) (int, error) {
	n, err := p.ReadCloser.Read(b)
	if err != nil {
		p.once.Do(func() { close(p.gone) })
	}
	return n, err
}
