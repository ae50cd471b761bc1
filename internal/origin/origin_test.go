package origin

import "testing"

func TestAllowed(t *testing.T) {
	patterns := []string{
		"https://example.com", "http://localhost:3000", "https://*.example.org", "http://*.dev.test:8080",
		"HTTPS://Shop.Example.NET:443", "capacitor://localhost", "http://[::1]:3000",
		"file://", "app://.", "http://anyport:*", "https://*.many.test:*", "http://[2001:DB8::0:1]:*", "wss://native.test",
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

		"file://": true, "FILE://": true, "file:///": false, "file://x": false, "file://.": false, "file": false, "file:": false,
		"app://.": true, "app://": false, "app://..": false, "app://./": false, "app://x": false, "xapp://.": false,
		"http://anyport": true, "http://anyport:80": true, "http://anyport:3000": true, "http://ANYPORT:65535": true,
		"http://anyport:*": false, "http://anyport:": false, "http://anyport:0": false, "http://anyport:x": false,
		"https://anyport:3000": false, "http://x.anyport:3000": false, "http://xanyport:3000": false,
		"http://anyport.evil:3000": false, "http://anyport:3000@evil": false, "http://anyport:3000/": false,
		"https://a.many.test": true, "https://a.b.many.test:8443": true, "https://many.test:8443": false,
		"https://amany.test:8443": false, "http://a.many.test:8443": false,
		"http://[2001:db8::1]:5": true, "http://[2001:db8:0:0:0:0:0:1]": true, "http://[2001:db8::2]:5": false,
		"https://native.test": true, "wss://native.test:443": true, "ws://native.test": false, "wss://example.com": true,
		"https://": false, "http://.": false, "ws://": false, "wss://.": false,
		"null": false, "": false, "*": false, "://": false, "localhost": false, "NULL": false, "null://": false,
	}
	for origin, want := range tests {
		if got := m.Allowed(origin); got != want {
			t.Errorf("Allowed(%q) = %v", origin, got)
		}
	}
	if m.Any() || m.ListsNull() {
		t.Error("Any without *, or null")
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
	if m.Lists("null") || m.ListsNull() || m.Lists("https://other.test") || !m.Lists("https://example.com") {
		t.Error("* lists what it allows")
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
		"", "NULL", "null ", "null:*", "example.com", "https://", "https://*", "https://*.", "https://*example.com", "https://a.*.com",
		"https://example.com/", "https://example.com/path", "https://user@example.com", "https://example.com:443:*", "http://localhost:3000:*", "http://*:*", "*:*", ":*", "https://:*",
		"https://example.com:99999999", "*://example.com", "https://*.[::1]", "https://münchen.de", "**", "https://*.*.com",
		"file:///", "file://*", "file://*.", "file://:*", "app://..", "app://*..", "app://.:*", "app://./", "http://.", "ws://", "://", "://.",
		"https://*.[::1]:*", "http://localhost:**", "http://localhost:8*",
	}
	for _, p := range bad {
		if _, err := Compile([]string{p}); err == nil {
			t.Errorf("%q was accepted", p)
		}
	}
}

// "null" is every page that wants to have no origin: it counts where it is listed, by itself.
func TestNull(t *testing.T) {
	m, err := Compile([]string{"null", "https://example.com"})
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]bool{
		"null": true, "NULL": false, "null ": false, "null://": false, "http://null": false, "https://example.com": true, "": false,
	} {
		if got := m.Allowed(origin); got != want {
			t.Errorf("Allowed(%q) = %v", origin, got)
		}
	}
	if !m.ListsNull() || m.Any() || SameHost("null", "null") {
		t.Error("null is not what it is")
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
		{"ws://example.com:3000", "example.com:3000", true},
		{"ws://example.com", "example.com", true},
		{"WS://Example.com", "example.com:80", true},
		{"ws://example.com:80", "example.com", true},
		{"wss://example.com", "example.com", true},
		{"wss://example.com", "example.com:443", true},
		{"wss://example.com:443", "example.com", true},
		{"wss://[::1]:3000", "[0:0:0:0:0:0:0:1]:3000", true},
		{"http://[2001:DB8::0001]", "[2001:db8::1]", true},
		{"http://[::ffff:127.0.0.1]", "[::ffff:7f00:1]", true},
		{"http://[::ffff:127.0.0.1]", "127.0.0.1", false},
		{"http://[::1]", "[::2]", false},
		{"ws://example.com", "example.com:443", false},
		{"wss://example.com", "example.com:80", false},
		{"wss://evil.test", "example.com", false},
		{"ws://example.com:4000", "example.com:3000", false},
		{"ws://example.com@evil.test", "example.com", false},
		{"wsss://example.com", "example.com", false},
		{"file://", "", false},
		{"app://.", ".", false},
		{"http://.", ".", false},
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
