package main

import (
	"slices"
	"strings"
	"testing"
)

func split(body string, revision int) (got []string, err error) {
	err = packets([]byte(body), revision, func(p []byte) error {
		got = append(got, string(p))
		return nil
	})
	return got, err
}

func TestPacketsOfPayloads(t *testing.T) {
	for _, c := range []struct {
		body     string
		revision int
		want     []string
	}{
		{"4one", 4, []string{"4one"}},
		{"4one\x1e2\x1e4two", 4, []string{"4one", "2", "4two"}},
		{"4:4one1:24:4two", 3, []string{"4one", "2", "4two"}},
		{"\x00\x04\xff4one\x00\x01\xff2", 3, []string{"4one", "2"}},
		{"\x00\x01\x02\xff" + strings.Repeat("4", 12), 3, []string{strings.Repeat("4", 12)}},
	} {
		if got, err := split(c.body, c.revision); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%q: got %q, %v", c.body, got, err)
		}
	}
}

func TestPacketsRefuseWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		body     string
		revision int
	}{
		{"4one\x1e\x1e4two", 4},
		{"5:4one", 3},
		{"x:4one", 3},
		{"4one", 3},
		{"0:", 3},
		{"\x00\x05\xff4one", 3},
		{"\x00\x04", 3},
		{"\x01\x01\xff\x04", 3},
	} {
		if got, err := split(c.body, c.revision); err == nil {
			t.Errorf("%q: got %q", c.body, got)
		}
	}
}

func TestPayloadsRoundTrip(t *testing.T) {
	for _, revision := range []int{3, 4} {
		var body []byte
		want := []string{"4a", "2", "4" + strings.Repeat("b", 100)}
		for _, p := range want {
			body = appendPacket(body, revision, []byte(p))
		}
		if got, err := split(string(body), revision); err != nil || !slices.Equal(got, want) {
			t.Errorf("revision %d: got %q, %v", revision, got, err)
		}
	}
}
