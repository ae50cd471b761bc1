package status

import (
	"errors"
	"sync"
	"testing"
)

func TestOf(t *testing.T) {
	known, other := errors.New("known"), errors.New("other")
	if _, _, ok := Of(known); ok {
		t.Error("nobody has said anything")
	}
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() { Learn(func(err error) (int, string, bool) { return 401, "no", err == known }) })
	}
	all.Wait()
	if len(readers) != 10 {
		t.Errorf("%d readers", len(readers))
	}
	if status, message, ok := Of(known); !ok || status != 401 || message != "no" {
		t.Errorf("%d %q %v", status, message, ok)
	}
	if status, message, ok := Of(other); ok || status != 0 || message != "" {
		t.Errorf("%d %q %v", status, message, ok)
	}
}
