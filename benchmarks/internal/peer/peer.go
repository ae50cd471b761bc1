// Package peer is what the servers in peers have in common.
package peer

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
)

// Addr adds the flag -addr.
func Addr() *string { return flag.String("addr", "127.0.0.1:3000", "where to listen") }

// Open is the open packet of a session, as text.
func Open(sid string, upgrades bool) string {
	offered := "[]"
	if upgrades {
		offered = `["websocket"]`
	}
	return fmt.Sprintf(`0{"sid":%q,"upgrades":%s,"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`, sid, offered)
}

// Serve listens, says so, and serves until it fails or the process is told to end.
func Serve(addr string, serve func(net.Listener) error) {
	collect()
	ln, err := net.Listen("tcp", addr)
	if err == nil {
		fmt.Println("listening on", ln.Addr())
		err = serve(ln)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// collect makes SIGUSR2 collect garbage and give memory back, so that what a session weighs is
// not a matter of when the last collection was.
func collect() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR2)
	go func() {
		for range signals {
			debug.FreeOSMemory()
		}
	}()
}
