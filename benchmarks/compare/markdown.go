package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/fasteio/engineio/benchmarks/internal/outcome"
)

// markdown is the report for people.
func (r *report) markdown() []byte {
	var b strings.Builder
	b.WriteString("# Measurements\n\n")
	fmt.Fprintf(&b, "%s. %s.\n", r.Date, r.Options)
	b.WriteString(`Read the ratios: what a server's processor pays for a message, beside the first server of the same
row in the same run. The machine's absolute figures are its own. Spread is (max - min) / median.

![What a message costs](latest.svg)

`)
	for i, f := range r.Environment {
		if i > 0 {
			b.WriteString(" · ")
		}
		b.WriteString(f.What + " " + f.Value)
	}
	b.WriteString("\n")
	for _, note := range r.Notes {
		fmt.Fprintf(&b, "\n%s.\n", upper(note))
	}
	r.summary(&b)
	for _, t := range r.Tables {
		t.markdown(&b)
	}
	return []byte(b.String())
}

// summary is the ratios of all rows in one table.
func (r *report) summary(b *strings.Builder) {
	var tables []*table
	for _, t := range r.Tables {
		if t.kind != fanout {
			tables = append(tables, t)
		}
	}
	b.WriteString("\n## Ratios to the raw ceiling\n\n| server |")
	for _, t := range tables {
		b.WriteString(" " + t.Name + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", len(tables)) + "\n")
	for _, name := range r.names() {
		b.WriteString("| " + name + " |")
		for _, t := range tables {
			b.WriteString(" " + t.ratio(name) + " |")
		}
		b.WriteString("\n")
	}
}

// names are the servers of all rows but the broadcasts, which have servers of their own.
func (r *report) names() (names []string) {
	seen := make(map[string]bool)
	for _, t := range r.Tables {
		for _, res := range t.Results {
			if t.kind != fanout && !seen[res.Server.Name] {
				seen[res.Server.Name] = true
				names = append(names, res.Server.Name)
			}
		}
	}
	return names
}

// ratio is a server's cell in the summary, empty if it is not in this row.
func (t *table) ratio(name string) string {
	for _, res := range t.Results {
		if res.Server.Name == name && res.Ratio > 0 {
			cell := fmt.Sprintf("%.2f", res.Ratio)
			if res.Errors > 0 {
				cell += " (errors)"
			}
			return cell
		}
	}
	return ""
}

// column is a heading and what stands below it.
type column struct {
	head string
	cell func(res *result) string
}

func number(head, format string, f func(*outcome.Outcome) float64) column {
	return column{head, func(res *result) string {
		if res.Median.Count == 0 {
			return ""
		}
		return fmt.Sprintf(format, f(&res.Median))
	}}
}

func (t *table) columns() []column {
	cost := column{"CPU-s per million", func(res *result) string { return fmt.Sprintf("%.3f", res.Cost) }}
	if t.kind == memory {
		cost = column{"bytes per session", func(res *result) string { return thousands(res.Cost) }}
	}
	all := []column{
		cost,
		{"ratio", func(res *result) string { return fmt.Sprintf("%.2f", res.Ratio) }},
		{"spread %", func(res *result) string { return fmt.Sprintf("%.0f", 100*res.Spread) }},
	}
	micros := func(head string, f func(*outcome.Outcome) int64) column {
		return number(head, "%.0f", func(o *outcome.Outcome) float64 { return float64(f(o)) })
	}
	if t.kind != memory {
		head, of := t.Per+"/s", ""
		if t.kind == fanout {
			of = "last delivery, "
		}
		all = append(all,
			column{head, func(res *result) string { return thousands(res.Median.Rate) }},
			micros(of+"p50 us", func(o *outcome.Outcome) int64 { return o.P50 }),
			micros(of+"p99 us", func(o *outcome.Outcome) int64 { return o.P99 }),
			number("server cores", "%.2f", func(o *outcome.Outcome) float64 { return o.Cores }))
	}
	return append(all,
		number("RSS MB", "%.1f", func(o *outcome.Outcome) float64 { return o.RSSMB }),
		column{"errors", func(res *result) string { return strconv.FormatInt(res.Errors, 10) }})
}

func (t *table) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s: %s\n\n`load %s`\n\n", t.Name, t.Title, strings.Join(t.Args, " "))
	columns := t.columns()
	b.WriteString("| server |")
	for _, c := range columns {
		b.WriteString(" " + c.head + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat("--:|", len(columns)) + "\n")
	for _, res := range t.Results {
		name := res.Server.Name
		if res.Server.Ours {
			name = "**" + name + "**"
		}
		b.WriteString("| " + name + " |")
		for _, c := range columns {
			b.WriteString(" " + c.cell(res) + " |")
		}
		b.WriteString("\n")
	}
	for _, res := range t.Results {
		if len(res.Faults) > 0 {
			fmt.Fprintf(b, "\n%s, for example: `%s`\n", upper(res.Server.Name), plain(res.Faults[0]))
		}
	}
}

// plain makes a fault fit into one line of Markdown.
func plain(fault string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(fault, "`", "'")), " ")
}

// thousands writes a number with commas.
func thousands(f float64) string {
	digits := strconv.FormatFloat(f, 'f', 0, 64)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
