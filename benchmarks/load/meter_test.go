package main

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestMeterCountsWithinTheMeasuredTime(t *testing.T) {
	m, err := newMeter(&options{})
	if err != nil {
		t.Fatal(err)
	}
	m.record(0, 50, 1_000_000, 1) // before any measurement
	m.from.Store(100)
	m.record(0, 99, 1_000_000, 1)
	m.record(0, 100, 1_000_000, 1)
	m.record(1, 200, 9_000_000, 3)
	m.until.Store(300)
	m.record(2, 300, 1_000_000, 1)
	o := m.outcome()
	if o.Count != 4 {
		t.Errorf("counted %d, want 4", o.Count)
	}
	if o.P50 < 8_990 || o.P50 > 9_010 || o.Max < 8_990 {
		t.Errorf("p50 %d, max %d", o.P50, o.Max)
	}
}

func TestMeterTellsFaultsApart(t *testing.T) {
	m, err := newMeter(&options{pid: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	m.fault(1, wrong{errors.New("not what was sent")})
	m.fault(2, os.ErrDeadlineExceeded)
	m.fault(3, errTimeout)
	m.fault(4, errors.New("refused"))
	o := m.outcome()
	if o.Mismatched != 1 || o.Timeouts != 2 || o.Failed != 1 || o.Errors() != 4 || len(o.Faults) != 4 {
		t.Errorf("got %+v", o)
	}
}

func TestMeterNeedsTheProcess(t *testing.T) {
	const nobody = 1 << 22 // above the kernel's largest process id
	if _, err := newMeter(&options{pid: nobody}); err == nil {
		t.Error("a process that does not exist is no error")
	}
}

func TestMeasureEndsWhenAllIsOver(t *testing.T) {
	m, err := newMeter(&options{warmup: time.Hour, duration: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	close(over)
	if err := m.measure(over); err != nil { // returns
		t.Error(err)
	}
}
