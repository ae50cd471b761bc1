package main

import (
	"fmt"
	"os"
	"time"
)

// busy is the time that the machine's processors have worked so far, for anybody, to 10 ms.
func busy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	var user, nice, system, idle, waiting, interrupts, soft, stolen int64
	_, err = fmt.Sscanf(string(text), "cpu %d %d %d %d %d %d %d %d",
		&user, &nice, &system, &idle, &waiting, &interrupts, &soft, &stolen)
	if err != nil {
		return 0, fmt.Errorf("/proc/stat: %w", err)
	}
	const tick = time.Second / 100 // what the kernel shows to programs, whatever its own
	return time.Duration(user+nice+system+interrupts+soft+stolen) * tick, nil
}
