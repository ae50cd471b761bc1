package usage

import (
	"os"
	"testing"
	"time"
)

func TestCPUCountsThisProcess(t *testing.T) {
	before, err := CPU(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	for start := time.Now(); time.Since(start) < 20*time.Millisecond; {
		continue // burns
	}
	after, err := CPU(os.Getpid())
	if err != nil || after <= before {
		t.Errorf("CPU went from %v to %v, error %v", before, after, err)
	}
}

func TestRSSOfThisProcess(t *testing.T) {
	n, err := RSS(os.Getpid())
	if err != nil || n < 1<<20 || n > 1<<34 {
		t.Errorf("RSS is %d, error %v", n, err)
	}
}

func TestResidentSize(t *testing.T) {
	n, err := residentSize([]byte("Name:\techo\nVmRSS:\t   12 kB\nThreads:\t3\n"))
	if n != 12<<10 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if _, err := residentSize([]byte("Name:\techo\n")); err == nil {
		t.Error("a status without VmRSS is no error")
	}
}
