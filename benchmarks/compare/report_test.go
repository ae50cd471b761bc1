package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/fasteio/engineio/benchmarks/internal/outcome"
)

// sample is a report with every kind of table, and things that need escaping.
func sample(t *testing.T) *report {
	t.Helper()
	rep := &report{Date: "2026-01-02", Options: "one round", Notes: []string{"python-engineio is not installed"},
		Environment: []fact{{"processor", "Some <CPU> & more"}, {"processors", "2"}}}
	for _, name := range []string{"ws-pingpong", "idle-ws", "broadcast"} {
		selected, err := selectRows(name)
		if err != nil {
			t.Fatal(err)
		}
		tab := &table{row: selected[0]}
		for i, server := range []server{{Name: "raw", Short: "raw <ceiling>"}, {Name: "ours", Short: "ours", Ours: true}, {Name: "slow", Short: "slow"}} {
			o := &outcome.Outcome{Count: 1, CPUPerMillion: 10 * float64(1+i*i*i), PerSession: 12_345 * float64(1+i), Rate: 98_765.4}
			if i == 2 {
				o.Lost, o.Faults = 3, []string{"client 1: `gone`\nand away"}
			}
			res := &result{Server: server, Runs: []*outcome.Outcome{o}}
			res.sum(tab.row)
			res.Ratio = float64(i + 1)
			tab.Results = append(tab.Results, res)
		}
		rep.Tables = append(rep.Tables, tab)
	}
	return rep
}

func TestMarkdownTablesHaveEvenLines(t *testing.T) {
	text := string(sample(t).markdown())
	columns := 0
	for line := range strings.Lines(text) {
		n := strings.Count(line, "|")
		if columns > 0 && n > 0 && n != columns {
			t.Errorf("%d columns, want %d: %s", n-1, columns-1, line)
		}
		columns = n
	}
	for _, want := range []string{"Python-engineio is not installed.", "**ours**", "| 3.00 (errors) |", "24,690", "`client 1: 'gone' and away`"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestPictureIsXML(t *testing.T) {
	text := string(sample(t).picture())
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(text, oursColor) || !strings.Contains(text, "there were errors") {
		t.Error("ours is not in colour, or errors are not mentioned")
	}
}

func TestThousands(t *testing.T) {
	for f, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567.4: "1,234,567", -1234: "-1,234", -123: "-123"} {
		if got := thousands(f); got != want {
			t.Errorf("%v: %s, want %s", f, got, want)
		}
	}
}

func TestRowsAreSelectedByName(t *testing.T) {
	if all, err := selectRows(""); err != nil || len(all) != len(rows) {
		t.Errorf("all: %d, %v", len(all), err)
	}
	if some, err := selectRows("idle-ws, conn-ws"); err != nil || len(some) != 2 || some[0].Name != "idle-ws" {
		t.Errorf("two: %v, %v", some, err)
	}
	if _, err := selectRows("nothing"); err == nil {
		t.Error("a row that there is not")
	}
}
