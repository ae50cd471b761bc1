package client

import (
	"strings"
	"testing"
)

func TestMemoryIsBounded(t *testing.T) {
	defer func() { memory.addrs = nil }()
	for i := range 3 * maxRemembered {
		remember(strings.Repeat("x", i), true)
	}
	if n := len(memory.addrs); n > maxRemembered {
		t.Errorf("%d servers remembered", n)
	}
	remember("a", true)
	if !remembered("a") {
		t.Error("forgotten")
	}
	if remember("a", false); remembered("a") {
		t.Error("not forgotten")
	}
}
