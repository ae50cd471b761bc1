package main

import (
	"strings"
	"testing"

	"github.com/fasteio/engineio/client"
)

func TestShow(t *testing.T) {
	var out strings.Builder
	c := &chat{nick: "ann", out: &out, in: make(chan struct{})}
	for _, text := range []string{
		`{"type":"welcome","users":[{"nick":"ann"},{"nick":"bob"}],"messages":[{"id":1,"user":{"nick":"bob"},"text":"old"}]}`,
		`{"type":"message","message":{"id":2,"user":{"nick":"b\u001b[2Job"},"text":"new\u0007"}}`,
		`{"type":"message","message":{"id":1,"user":{"nick":"bob"},"text":"again"}}`,
		`{"type":"join","user":{"nick":"cat"}}`, `{"type":"leave","user":{"nick":"cat"}}`,
		`{"type":"rename","was":"bob","user":{"nick":"rob"}}`,
		`{"type":"error","code":"empty","text":"There is nothing in this message."}`,
		`{"type":"unknown"}`, `not JSON`,
	} {
		c.show(nil, client.Message{Data: []byte(text)})
	}
	select {
	case <-c.in:
	default:
		t.Error("not in the room")
	}
	var got []string
	for line := range strings.Lines(out.String()) {
		got = append(got, strings.TrimLeft(strings.TrimSpace(line), "0123456789: "))
	}
	want := "bob: old|-- in the room: ann, bob|b?[2Job: new?|-- cat came in|-- cat left|-- bob is now rob|-- There is nothing in this message."
	if got := strings.Join(got, "|"); got != want {
		t.Errorf("shows %q, want %q", got, want)
	}
}
