package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"github.com/fasteio/engineio/benchmarks/internal/outcome"
)

const (
	startTimeout = 15 * time.Second
	stopTimeout  = 3 * time.Second
)

// process is a server that runs.
type process struct {
	cmd    *exec.Cmd
	addr   string
	out    bytes.Buffer
	exited chan struct{}
}

// start starts a server on a free port and waits until it accepts connections.
func (b *bench) start(s server) (*process, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &process{addr: ln.Addr().String(), exited: make(chan struct{})}
	ln.Close()
	command := append(b.pinned(0), s.command...)
	command = append(command, "-addr", p.addr)
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is for us
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.exited)
	}()
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); {
		if c, err := net.Dial("tcp", p.addr); err == nil {
			return p, c.Close()
		}
		select {
		case <-p.exited:
			return nil, fmt.Errorf("%s ended at once: %s", s.Name, lastLine(p.out.Bytes()))
		case <-time.After(20 * time.Millisecond):
		}
	}
	p.stop()
	return nil, fmt.Errorf("%s does not listen", s.Name)
}

// stop ends the server, by force if it takes long.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.exited:
	case <-time.After(stopTimeout):
		_ = p.cmd.Process.Kill()
		<-p.exited
	}
}

// pinned is what a command begins with to run on that processor, nothing without -pin.
func (b *bench) pinned(processor int) []string {
	if !b.o.pin {
		return nil
	}
	return []string{"taskset", "-c", strconv.Itoa(processor)}
}

// measure starts a server, loads it and stops it. A run that fails is an outcome with an error.
func (b *bench) measure(s server, args []string, warmup, duration time.Duration) (*outcome.Outcome, error) {
	p, err := b.start(s)
	if err != nil {
		return failure(err), b.ctx.Err()
	}
	defer p.stop()
	command := append(b.pinned(1), b.bin("load"), "-json",
		"-url", "http://"+p.addr+"/engine.io/", "-pid", strconv.Itoa(p.cmd.Process.Pid),
		"-duration", duration.String(), "-warmup", warmup.String())
	if s.revision != 0 {
		command = append(command, "-revision", strconv.Itoa(s.revision))
	}
	if s.settles {
		command = append(command, "-settle")
	}
	command = append(command, args...)
	bound, cancel := context.WithTimeout(b.ctx, warmup+duration+2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(bound, command[0], command[1:]...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return failure(fmt.Errorf("%v: %s", err, lastLine(stderr.Bytes()))), b.ctx.Err()
	}
	o := &outcome.Outcome{}
	if err := json.Unmarshal(out, o); err != nil {
		return failure(err), nil
	}
	return o, nil
}

// failure is the outcome of a run that could not be made.
func failure(err error) *outcome.Outcome {
	return &outcome.Outcome{Failed: 1, Faults: []string{err.Error()}}
}
