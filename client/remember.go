package client

import "sync"

// memory is where the last session of this process got to WebSocket, for Options.RememberUpgrade.
var memory struct {
	sync.Mutex
	addrs map[string]struct{}
}

// maxRemembered bounds it; the servers of a process are few.
const maxRemembered = 1024

func remembered(addr string) bool {
	memory.Lock()
	defer memory.Unlock()
	_, ok := memory.addrs[addr]
	return ok
}

func remember(addr string, works bool) {
	memory.Lock()
	defer memory.Unlock()
	if !works {
		delete(memory.addrs, addr)
		return
	}
	if memory.addrs == nil || len(memory.addrs) >= maxRemembered {
		memory.addrs = make(map[string]struct{})
	}
	memory.addrs[addr] = struct{}{}
}
