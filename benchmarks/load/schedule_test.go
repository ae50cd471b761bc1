package main

import (
	"testing"
	"time"
)

func TestScheduleIsSteady(t *testing.T) {
	s := newSchedule(1000, 7)
	s.start.Store(5_000)
	for k := range int64(100_000) {
		place, seq := s.whose(k)
		if got, want := s.due(place, seq), s.at(k); got != want {
			t.Fatalf("message %d is due at %d for the pacer and at %d for client %d", k, want, got, place)
		}
		if want := 5_000 + k*int64(time.Millisecond); s.at(k) != want {
			t.Fatalf("message %d is due at %d, want %d", k, s.at(k), want)
		}
	}
}

func TestScheduleServesClientsInTurn(t *testing.T) {
	s := newSchedule(10, 3)
	for k, want := range [][2]int64{{0, 0}, {1, 0}, {2, 0}, {0, 1}, {1, 1}} {
		place, seq := s.whose(int64(k))
		if int64(place) != want[0] || seq != want[1] {
			t.Errorf("message %d is number %d of client %d, want %v", k, seq, place, want)
		}
	}
}
