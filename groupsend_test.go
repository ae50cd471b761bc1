package engineio

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// groupSends are the ways to send several messages as one.
var groupSends = map[string]func(s *Session, group []Message) error{
	"SendAll":   func(s *Session, group []Message) error { return s.SendAll(group) },
	"prepared":  func(s *Session, group []Message) error { return s.SendPrepared(PrepareAll(group)) },
	"Broadcast": func(s *Session, group []Message) error { s.srv.Broadcast(PrepareAll(group)); return nil },
	"plain":     func(s *Session, group []Message) error { return s.SendAll(group, NoCompress) },
}

// numbered is a group of a text and two binary messages, which have its number.
func numbered(i, size int) []Message {
	return []Message{
		{Data: fmt.Appendf(nil, "(%02d)", i)},
		{Data: fmt.Appendf(nil, "<%02d>%s", i, strings.Repeat("x", size)), Binary: true},
		{Data: fmt.Appendf(nil, "[%02d]", i), Binary: true},
	}
}

// A full queue refuses or drops groups whole, whatever the policy.
func TestGroupsAreWholeUnderOverflow(t *testing.T) {
	const sent = 30
	for _, size := range []int{900, 3000} { // copied into the queue, and referred to
		for what, send := range groupSends {
			for way, listen := range audiences {
				for overflow := OverflowReject; overflow <= OverflowDropOldest; overflow++ {
					if overflow == OverflowReject && what == "Broadcast" {
						continue // it ends the session, as TestOverflowPolicies has it
					}
					t.Run(fmt.Sprintf("%s/%s of %d/%d", way, what, size, overflow), func(t *testing.T) {
						synctest.Test(t, func(t *testing.T) {
							srv := newTestServer(Config{MaxQueuedBytes: 10*size + 700, Overflow: overflow})
							defer shut(srv)
							a := listen(t, srv)
							fit := (10*size + 700) / len(PrepareAll(numbered(1, size)).frame(a.s.revision, false))
							accepted := 0
							for i := range sent {
								switch err := send(a.s, numbered(i, size)); {
								case err == nil:
									accepted++
								case !errors.Is(err, ErrQueueFull):
									t.Fatal(err)
								}
							}
							if err := a.s.SendText("(99)"); err != nil && overflow != OverflowReject {
								t.Fatal(err)
							}
							got := a.heard()
							first, many := checkWhole(t, got)
							if many < fit-1 || many > fit || first != map[bool]int{true: sent - many}[overflow == OverflowDropOldest] {
								t.Errorf("%d groups from %d on are left", many, first)
							}
							if overflow == OverflowReject && accepted != many || overflow != OverflowReject && accepted != sent {
								t.Errorf("%d were accepted, %d have arrived", accepted, many)
							}
							missing := uint64(3 * (sent - many))
							if overflow == OverflowDropNewest && !strings.Contains(got, "(99)") {
								missing++
							}
							if n := a.s.Dropped(); overflow != OverflowReject && n != missing {
								t.Errorf("%d messages were dropped, want %d", n, missing)
							}
						})
					})
				}
			}
		}
	}
}

// checkWhole checks that what a client got has groups in order and each whole, and returns the first and how many.
func checkWhole(t *testing.T, got string) (first, many int) {
	t.Helper()
	first = -1
	at := 0
	for i := range 99 {
		text := strings.Index(got, fmt.Sprintf("(%02d)", i))
		large := strings.Index(got, fmt.Sprintf("<%02d>", i))
		small := strings.Index(got, fmt.Sprintf("[%02d]", i))
		if text < 0 && large < 0 && small < 0 {
			continue
		}
		if text < at || large < text || small < large {
			t.Errorf("group %d is at %d, %d, %d, behind %d", i, text, large, small, at)
		}
		if first < 0 {
			first = i
		}
		at = small
		many++
	}
	return first, many
}

// Groups of several senders follow each other, nothing comes between, also across a change of the holder which
// makes binary text.
func TestGroupsAreNotInterleaved(t *testing.T) {
	const senders, each = 4, 300
	one, other := new(bell), new(bell)
	o := openOutbox(one, 1<<30)
	var sending sync.WaitGroup
	for i := range senders {
		sending.Go(func() {
			for k := range each {
				name := fmt.Sprintf("%d-%d", i, k)
				group := []Message{{Data: []byte("a" + name)}, {Data: []byte("b" + name), Binary: k%2 == 0}, {Data: []byte("c" + name)}}
				var err error
				switch k % 3 {
				case 0:
					err = o.pushGroup(group, 0)
				case 1:
					err = o.pushPrepared(PrepareAll(group))
				default:
					err = o.push(Message{Data: []byte("single")}.packet(), 0)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { sending.Wait(); close(done) }()
	var got []string
	holder := transport(one)
	for open := true; open; {
		select {
		case <-done:
			open = false
		default:
		}
		for range 50 {
			packets, _ := takeAll(t, o, holder)
			got = append(got, packets...)
		}
		if holder == one && len(got) > senders*each/2 {
			if !o.transfer(one, other, true, false) {
				t.Fatal("the outbox does not change its holder")
			}
			holder = other
		}
	}
	checkGroups(t, got, senders*each)
}

func checkGroups(t *testing.T, got []string, groups int) {
	t.Helper()
	seen := 0
	for i := 0; i < len(got); i++ {
		packet := strings.TrimPrefix(got[i], "4")
		if packet == "single" || strings.HasPrefix(packet, "0") {
			if packet == "single" {
				seen++
			}
			continue
		}
		name, ok := strings.CutPrefix(packet, "a")
		if !ok || i+2 >= len(got) {
			t.Fatalf("packet %d of %d is %q", i, len(got), got[i])
		}
		if !slices.Contains([]string{"4b" + name, "b" + name, "b" + base64.StdEncoding.EncodeToString([]byte("b"+name))}, got[i+1]) || got[i+2] != "4c"+name {
			t.Fatalf("behind %q come %q", got[i], got[i+1:i+3])
		}
		i += 2
		seen++
	}
	if seen != groups {
		t.Errorf("%d groups and single messages, want %d", seen, groups)
	}
}

func TestSendAllOfWhatCannotTravel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		defer s.CloseNow()
		for _, text := range []string{"\xff", "a\x1eb"} {
			group := []Message{{Data: []byte("fine")}, {Data: []byte(text)}}
			if err := s.SendAll(group); !errors.Is(err, ErrInvalidText) {
				t.Errorf("SendAll: %v", err)
			}
			if err := s.SendPrepared(PrepareAll(group)); !errors.Is(err, ErrInvalidText) {
				t.Errorf("SendPrepared: %v", err)
			}
		}
		if err := errors.Join(s.SendAll(nil), s.SendPrepared(PrepareAll(nil))); err != nil || s.Queued() != 0 {
			t.Errorf("a group of none: %v, %d bytes are queued", err, s.Queued())
		}
		_ = s.SendAll(numbered(1, 3))
		s.CloseNow()
		if err := s.SendAll(numbered(2, 3)); !errors.Is(err, ErrClosed) {
			t.Errorf("after the end: %v", err)
		}
	})
}
