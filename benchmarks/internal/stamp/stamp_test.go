package stamp

import (
	"strings"
	"testing"
)

func TestCheckerTakesWhatIsRight(t *testing.T) {
	c := NewChecker(7, 64)
	for seq := range uint64(300) {
		if err := c.Check(Message(7, seq, 64)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCheckerFindsWhatIsWrong(t *testing.T) {
	changed := Message(7, 1, 64)
	changed[40]++
	for name, m := range map[string][]byte{
		"reordered":     Message(7, 2, 64),
		"repeated":      Message(7, 0, 64),
		"other client":  Message(8, 1, 64),
		"changed":       changed,
		"cut":           Message(7, 1, 64)[:63],
		"longer":        append(Message(7, 1, 64), 'x'),
		"empty":         nil,
		"no number":     []byte(strings.Repeat("z", 64)),
		"shifted inner": append(Message(7, 1, 64)[:16], Message(7, 1, 65)[17:]...),
	} {
		c := NewChecker(7, 64)
		if err := c.Check(Message(7, 0, 64)); err != nil {
			t.Fatal(err)
		}
		if err := c.Check(m); err == nil {
			t.Errorf("%s: passes", name)
		}
	}
}

func TestCheckerSaysWhichMessageCame(t *testing.T) {
	err := NewChecker(1, 16).Check(Message(1, 5, 16))
	if err == nil || err.Error() != "message 5 came when 0 was due" {
		t.Errorf("got %v", err)
	}
}
