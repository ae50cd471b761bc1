package origin

import "testing"

func TestAllowed(t *testing.T) {
	patterns := []string{
		"https://example.com", "http://localhost:3000", "https://*.example.org", "http://*.dev.test:8080",
		"HTTPS://Shop.Example.NET:443", "capacitor://localhost", "http://[::1]:3000",
	}
	m, err := Compile(patterns)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{
		"https://example.com":      true,
		"https://example.com:443":  true,
		"HTTPS://EXAMPLE.COM":      true,
		"http://example.com":       false,
		"https://example.com:444":  false,
		"https://example.com:80":   false,
		"https://example.com.evil": false,
		"https://evilexample.com":  false,
		"https://sub.example.com":  false,
		"https://example.com/":     false,
		"https://example.com?":     false,
		"https://a@example.com":    false,
		"https://example.com\r\n":  false,
		"https://example.com:":     false,
		"https://example.com:0443": false,

		"http://localhost:3000":      true,
		"http://localhost":           false,
		"https://shop.example.net":   true,
		"https://a.example.org":      true,
		"https://a.b.example.org":    true,
		"https://A.Example.org:443":  true,
		"https://example.org":        false,
		"https://.example.org":       false,
		"https://aexample.org":       false,
		"http://a.example.org":       false,
		"https://a.example.org:8443": false,
		"https://evil/.example.org":  false,
		"https://evil#.example.org":  false,
		"https://evil .example.org":  false,
		"https://évil.example.org":   false,
		"http://x.dev.test:8080":     true,
		"http://x.dev.test":          false,
		"capacitor://localhost":      true,
		"http://[::1]:3000":          true,
		"http://[::1]":               false,
		"http://[::g]:3000":          false,
		"http://[0]:3000":            false,
		"http://[1.2.3.4]:3000":      false,

		"null": false, "": false, "*": false, "://": false, "https://": false, "localhost": false, "file://": false,
	}
	for origin, want := range tests {
		if got := m.Allowed(origin); got != want {
			t.Errorf("Allowed(%q) = %v", origin, got)
		}
	}
	if m.Any() {
		t.Error("Any without *")
	}
}

func TestAny(t *testing.T) {
	m, err := Compile([]string{"https://example.com", "*"})
	if err != nil {
		t.Fatal(err)
	}
	if !m.Any() || !m.Allowed("https://other.test") || !m.Allowed("null") {
		t.Error("* does not allow every origin")
	}
	if m.Allowed("") {
		t.Error("no origin is not an origin")
	}
	var none *Matcher
	if none.Any() || none.Allowed("https://example.com") || (&Matcher{}).Allowed("https://example.com") {
		t.Error("nil and zero must allow nothing")
	}
}

func TestCompileRefuses(t *testing.T) {
	bad := []string{
		"", "null", "example.com", "https://", "https://*", "https://*.", "https://*example.com", "https://a.*.com",
		"https://example.com/", "https://example.com/path", "https://user@example.com", "https://example.com:*",
		"https://example.com:99999999", "*://example.com", "https://*.[::1]", "https://münchen.de", "**", "https://*.*.com",
	}
	for _, p := range bad {
		if _, err := Compile([]string{p}); err == nil {
			t.Errorf("%q was accepted", p)
		}
	}
}

func TestSameHost(t *testing.T) {
	tests := []struct {
		origin, host string
		want         bool
	}{
		{"http://example.com", "example.com", true},
		{"http://example.com", "EXAMPLE.com:80", true},
		{"http://example.com:80", "example.com", true},
		{"https://example.com", "example.com", true},
		{"https://example.com", "example.com:443", true},
		{"https://example.com:443", "example.com", true},
		{"http://example.com:3000", "example.com:3000", true},
		{"http://[::1]:3000", "[::1]:3000", true},
		{"http://[::1]", "[::1]", true},
		{"http://[0]", "[0]", false},
		{"http://[::1%eth0]", "[::1%eth0]", false},
		{"http://127.0.0.1:1", "127.0.0.1:1", true},
		{"https://example.com", "example.com:80", false},
		{"http://example.com:3000", "example.com", false},
		{"http://example.com", "example.com:3000", false},
		{"http://a.example.com", "example.com", false},
		{"http://example.com.evil.test", "example.com", false},
		{"http://example.com@evil.test", "example.com", false},
		{"http://example.com/", "example.com", false},
		{"null", "null", false},
		{"", "", false},
		{"http://", "", false},
		{"http://example.com", "", false},
		{"http://example.com", "a, example.com", false},
		{"http://example.com", "example.com/", false},
		{"http://example.com", "example.com:x", false},
		{"http://example.com", "x://example.com", false},
		{"capacitor://localhost", "localhost", false},
		{"file://localhost", "localhost", false},
		{"example.com", "example.com", false},
	}
	for _, tt := range tests {
		if got := SameHost(tt.origin, tt.host); got != tt.want {
			t.Errorf("SameHost(%q, %q) = %v", tt.origin, tt.host, got)
		}
	}
}

func FuzzMatcher(f *testing.F) {
	m, err := Compile([]string{"https://example.com", "https://*.example.org"})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"https://example.com", "https://a.example.org:443", "null", "http://[::1]:80", "://"} {
		f.Add(s, "example.com")
	}
	f.Fuzz(func(t *testing.T, origin, host string) {
		m.Allowed(origin)
		if SameHost(origin, host) {
			if !SameHost("http://"+host, host) {
				t.Fatalf("%q is the same host as %q, but %q is not itself", origin, host, host)
			}
		}
		o, ok := parse(origin)
		if again, okAgain := parse(o.String()); ok && (!okAgain || again != o) {
			t.Fatalf("%q is %v, then %v", origin, o, again)
		}
	})
}

func BenchmarkAllowed(b *testing.B) {
	m, _ := Compile([]string{"https://example.com", "https://*.example.org"})
	for _, o := range []string{"https://example.com", "https://app.example.org"} {
		b.Run(o, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Allowed(o)
			}
		})
	}
}
