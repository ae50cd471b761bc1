package main

import (
	"context"
	"fmt"
	"io"
	"net/rpc"
	"os"
	"os/exec"
	"slices"
	"time"
)

// A child is a server or a client process. Its end of input ends it.
type child struct {
	name  string
	cmd   *exec.Cmd
	calls *rpc.Client
}

// spawn starts a program in a role, with more variables if need be. The end of ctx kills it.
func spawn(ctx context.Context, program, as, name string, env []string) (*child, error) {
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = slices.Concat(os.Environ(), []string{role + "=" + as}, env)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	calls := rpc.NewClient(struct {
		io.Reader
		io.WriteCloser
	}{out, in})
	return &child{name, cmd, calls}, nil
}

// call calls a method and waits for its answer.
func (c *child) call(ctx context.Context, method string, args, reply any) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case call := <-c.calls.Go(method, args, reply, make(chan *rpc.Call, 1)).Done:
		if ctx.Err() != nil {
			return context.Cause(ctx) // the end of ctx has killed it
		}
		if call.Error != nil {
			return fmt.Errorf("%s: %s: %w", c.name, method, call.Error)
		}
		return nil
	}
}

// end closes the child's input and waits for it. A status other than 0 is an error.
func (c *child) end() error {
	const patience = 10 * time.Second
	_ = c.calls.Close() // fails when the child has gone, which Wait tells too
	kill := time.AfterFunc(patience, func() { _ = c.cmd.Process.Kill() })
	defer kill.Stop()
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w", c.name, err)
	}
	return nil
}
