package mount

import "strings"

// Ours reports whether the request's path is that of the engine, below the prefix of the route by which the handler
// was mounted. A mount at the path itself, app.Use("/engine.io", ...), is the same as one at the root.
func (m *Mount) Ours(route, path string) bool {
	want, got := below(route, m.path, m.caseSensitive), "/"+strings.Trim(path, "/")
	if sameSegments(strings.Trim(want, "/"), got[1:], m.caseSensitive) {
		return true
	}
	// What only Fiber can compare, at the cost of a parser made each time.
	return strings.ContainsAny(want, `:*+\`) && endsIn(got, m.path, m.caseSensitive) &&
		m.version.Matches(got, want, m.caseSensitive)
}

// below is where the engine is when it was mounted at route.
func below(route, path string, caseSensitive bool) string {
	route = strings.TrimSuffix(route, "/")
	if endsIn(route, path, caseSensitive) {
		return route
	}
	return route + path
}

func endsIn(path, suffix string, caseSensitive bool) bool {
	tail := len(path) - len(suffix)
	return tail >= 0 && (path[tail:] == suffix || !caseSensitive && strings.EqualFold(path[tail:], suffix))
}

// sameSegments compares paths one segment at a time; a parameter of the group's prefix
// (/:tenant) matches any one.
func sameSegments(want, got string, caseSensitive bool) bool {
	for {
		w, wantMore, _ := strings.Cut(want, "/")
		g, gotMore, _ := strings.Cut(got, "/")
		same := w == g || !caseSensitive && strings.EqualFold(w, g) || strings.HasPrefix(w, ":") && g != ""
		if !same || (wantMore == "") != (gotMore == "") {
			return false
		}
		if wantMore == "" {
			return true
		}
		want, got = wantMore, gotMore
	}
}
