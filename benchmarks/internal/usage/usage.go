// Package usage reads what a process has cost: its processor time and its memory. It is made for
// Linux, like everything in this module.
package usage

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// CPU is the processor time that a process has used so far, in user and kernel mode, threads that
// have ended included. It reads the process's own clock, which counts nanoseconds; the ticks of
// /proc/<pid>/stat are 10 ms, too coarse for a run of two seconds.
func CPU(pid int) (time.Duration, error) {
	const schedulerClock = 2 // CPUCLOCK_SCHED, see clock_getcpuclockid(3)
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|schedulerClock), &t); err != nil {
		return 0, fmt.Errorf("processor time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

// RSS is the memory of a process that is in RAM, in bytes.
func RSS(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	return residentSize(status)
}

// residentSize finds the line "VmRSS:	  1234 kB".
func residentSize(status []byte) (int64, error) {
	_, rest, found := bytes.Cut(status, []byte("VmRSS:"))
	if !found {
		return 0, fmt.Errorf("no VmRSS, the process has ended")
	}
	line, _, _ := bytes.Cut(rest, []byte("\n"))
	number := bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(line), []byte("kB")))
	kilobytes, err := strconv.ParseInt(string(number), 10, 64)
	return kilobytes << 10, err
}
