package client

import (
	"crypto/tls"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestRefused(t *testing.T) {
	for body, want := range map[string]ResponseError{
		`{"code":4,"message":"Forbidden"}`:     {Code: 4, Message: "Forbidden"},
		`{"code":"0","message":"unknown"}`:     {Code: 0, Message: "unknown"}, // a server in Rust
		`{"message":"no code"}`:                {Code: -1, Message: "no code"},
		`{"code":{},"message":3}`:              {Code: -1, Message: `{"code":{},"message":3}`},
		`"Invalid session"`:                    {Code: -1, Message: "Invalid session"}, // python
		"<h1>Bad gateway</h1>\n":               {Code: -1, Message: "<h1>Bad gateway</h1>"},
		"":                                     {Code: -1},
		"\xff":                                 {Code: -1, Message: "\ufffd"},
		strings.Repeat("x", 100_000):           {Code: -1, Message: strings.Repeat("x", 1024)},
		`{"code":1,"message":"","context":{}}`: {Code: 1},
	} {
		want.Status = 400
		if got := parseRefusal(400, http.Header{}.Get, []byte(body)); *got != want {
			t.Errorf("%.60q gives %+v, want %+v", body, *got, want)
		}
	}
}

func TestPeriod(t *testing.T) {
	for ms, want := range map[float64]time.Duration{
		0: time.Hour, -1: time.Hour, 0.5: 500 * time.Microsecond, 300: 300 * time.Millisecond, 1e300: 24 * time.Hour,
	} {
		if got := period(ms, time.Hour); got != want {
			t.Errorf("%v ms is %v, want %v", ms, got, want)
		}
	}
}

func TestReconnectWait(t *testing.T) {
	r := ReconnectOptions{Backoff: time.Second, MaxBackoff: 10 * time.Second, Jitter: 0.5}
	for n := 1; n < 100; n++ {
		want := 10 * time.Second
		if n < 5 {
			want = time.Second << (n - 1)
		}
		for range 20 {
			if got := r.wait(n, nil); got < want/2 || got > want*3/2 {
				t.Fatalf("attempt %d after %v", n, got)
			}
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

// A server that wants more time gets it, and no attempt comes before.
func TestReconnectWaitIsRetryAfter(t *testing.T) {
	r := ReconnectOptions{Backoff: time.Second, MaxBackoff: 10 * time.Second, Jitter: 0.5}
	for after, want := range map[time.Duration][2]time.Duration{
		100 * time.Millisecond: {500 * time.Millisecond, 1500 * time.Millisecond},
		4 * time.Second:        {4 * time.Second, 6 * time.Second},
		time.Hour:              {10 * time.Second, 15 * time.Second},
	} {
		last := errors.Join(errors.New("another transport"), &ResponseError{RetryAfter: after})
		for range 100 {
			if got := r.wait(1, last); got < want[0] || got > want[1] {
				t.Fatalf("Retry-After %v: %v, want %v", after, got, want)
			}
		}
	}
}

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

// A client certificate tells who we are: it is not for where another server sends us.
func TestCertificatesStayWithTheOrigin(t *testing.T) {
	o, err := (&Options{TLSConfig: &tls.Config{Certificates: make([]tls.Certificate, 1)}}).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	first, err := newTarget("http://a.test/", &o)
	if err != nil {
		t.Fatal(err)
	}
	for location, want := range map[string]int{"https://a.test/": 1, "https://a.test:8443/": 1, "https://b.test/": 0, "https://sub.a.test/": 0} {
		next, err := first.redirect(location)
		if err != nil {
			t.Fatal(err)
		}
		d := newDialer(next, &o)
		if len(d.tls.Certificates) != want {
			t.Errorf("%s is shown %d certificates", location, len(d.tls.Certificates))
		}
	}
}
