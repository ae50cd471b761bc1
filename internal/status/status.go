// Package status is where a web framework's integration says which HTTP status the framework's errors stand for. The
// engine itself imports no framework, and its applications return such errors from their hooks.
package status

import "sync"

// A Reader returns the status and the message for clients that err, or an error it wraps, stands for.
type Reader func(err error) (status int, message string, ok bool)

var (
	mu      sync.RWMutex
	readers []Reader
)

// Learn adds a Reader, for as long as the process lives.
func Learn(r Reader) {
	mu.Lock()
	defer mu.Unlock()
	readers = append(readers, r)
}

// Of is what the first Reader that knows err says.
func Of(err error) (status int, message string, ok bool) {
	mu.RLock()
	defer mu.RUnlock()
	for _, r := range readers {
		if status, message, ok = r(err); ok {
			return status, message, true
		}
	}
	return 0, "", false
}
