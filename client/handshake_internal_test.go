package client

import (
	"net/http"
	"testing"
	"time"
)

func TestPeriod(t *testing.T) {
	for ms, want := range map[float64]time.Duration{
		0: time.Hour, -1: time.Hour, 0.5: 500 * time.Microsecond, 300: 300 * time.Millisecond, 1e300: 24 * time.Hour,
	} {
		if got := period(ms, time.Hour); got != want {
			t.Errorf("%v ms is %v, want %v", ms, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Now()
	for header, want := range map[string][2]time.Duration{
		"":            {0, 0},
		"0":           {0, 0},
		"2":           {2 * time.Second, 2 * time.Second},
		"soon":        {0, 0},
		"-5":          {0, 0},
		"4294967295":  {24 * time.Hour, 24 * time.Hour},
		"99999999999": {24 * time.Hour, 24 * time.Hour},
		now.UTC().Add(time.Hour).Format(http.TimeFormat):     {59 * time.Minute, time.Hour},
		now.UTC().Add(-time.Hour).Format(http.TimeFormat):    {0, 0},
		now.UTC().Add(999 * time.Hour).Format(time.RFC850):   {24 * time.Hour, 24 * time.Hour},
		now.UTC().Add(time.Hour).Format(http.TimeFormat)[1:]: {0, 0},
	} {
		if got := retryAfter(header); got < want[0] || got > want[1] {
			t.Errorf("%q is %v, want %v", header, got, want)
		}
	}
}
