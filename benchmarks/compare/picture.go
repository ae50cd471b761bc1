package main

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
)

// The picture has a card of its own, white in light and dark pages alike, two panels wide.
const (
	cardWidth   = 880
	margin      = 28
	columnGap   = 40
	panelWidth  = (cardWidth - 2*margin - columnGap) / 2
	panelsTop   = 92
	panelHead   = 42
	panelGap    = 26
	lineHeight  = 21
	barHeight   = 13
	labelWidth  = 134
	valueWidth  = 84
	barMax      = panelWidth - labelWidth - valueWidth
	footer      = 34
	longestBar  = 3.0 // times the ceiling or ours, whichever is longer; what is longer is torn
	fontStack   = "-apple-system,BlinkMacSystemFont,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif"
	background  = "#ffffff"
	border      = "#d1d9e0"
	ink         = "#1f2328"
	faintInk    = "#6e7781"
	oursColor   = "#0969da"
	otherColor  = "#b4bec9"
	ceilingInk  = "#57606a"
	shortestBar = 2
)

// picture draws the report as SVG: bars in groups, ours in colour.
func (r *report) picture() []byte {
	heights := r.lineHeights()
	total := panelsTop + footer
	for _, h := range heights {
		total += h
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="%s" role="img" aria-label="What a message costs the server">`+"\n",
		cardWidth, total, cardWidth, total, fontStack)
	fmt.Fprintf(&b, `<rect x="0.5" y="0.5" width="%d" height="%d" rx="10" fill="%s" stroke="%s"/>`+"\n", cardWidth-1, total-1, background, border)
	put(&b, margin, 42, 20, 600, ink, "start", "What it costs the server")
	put(&b, margin, 64, 12.5, 400, faintInk, "start", "Processor time per message, handshake and delivery, and memory of an idle session. Shorter is better.")
	y := panelsTop
	for i, t := range r.Tables {
		t.draw(&b, margin+(i%2)*(panelWidth+columnGap), y)
		if i%2 == 1 {
			y += heights[i/2]
		}
	}
	put(&b, margin, total-16, 11, 400, faintInk, "start",
		fmt.Sprintf("Dashed line: what the bare stack costs, without a protocol. Every echo is checked%s. %s, %s.", r.flawed(), r.Date, r.machine()))
	b.WriteString("</svg>\n")
	return []byte(b.String())
}

// machine is the processor in a few words.
func (r *report) machine() string {
	values := make(map[string]string)
	for _, f := range r.Environment {
		values[f.What] = f.Value
	}
	return fmt.Sprintf("%s processors of %s", values["processors"], values["processor"])
}

// flawed explains the exclamation marks, if there are any.
func (r *report) flawed() string {
	for _, t := range r.Tables {
		for _, res := range t.bars() {
			if res.Errors > 0 {
				return "; !: there were errors"
			}
		}
	}
	return ""
}

// lineHeights are the heights of the lines of panels; two panels share one.
func (r *report) lineHeights() (heights []int) {
	for i, t := range r.Tables {
		h := panelHead + len(t.bars())*lineHeight + panelGap
		if i%2 == 0 {
			heights = append(heights, h)
		} else {
			heights[i/2] = max(heights[i/2], h)
		}
	}
	return heights
}

// bars are the results that a panel shows, the shortest first.
func (t *table) bars() (shown []*result) {
	for _, res := range t.Results {
		if res.Server.Short != "" && res.Cost > 0 && (!res.Server.tuned || t.kind != latency) {
			shown = append(shown, res)
		}
	}
	slices.SortStableFunc(shown, func(a, b *result) int { return cmp.Compare(a.Cost, b.Cost) })
	return shown
}

func (t *table) draw(b *strings.Builder, x, y int) {
	put(b, x, y+12, 13.5, 600, ink, "start", t.Title)
	unit := "CPU seconds per million " + t.Per
	if t.kind == memory {
		unit = "bytes of RAM per session"
	}
	put(b, x, y+28, 11, 400, faintInk, "start", unit)
	shown := t.bars()
	scale := t.longest()
	top := y + panelHead
	if ceiling := t.Results[0].Cost; ceiling > 0 {
		at := float64(x+labelWidth) + ceiling/scale*barMax
		fmt.Fprintf(b, `<line x1="%.1f" y1="%d" x2="%.1f" y2="%d" stroke="%s" stroke-width="1" stroke-dasharray="2 3"/>`+"\n",
			at, top-5, at, top+len(shown)*lineHeight-3, ceilingInk)
	}
	for i, res := range shown {
		t.bar(b, res, x, top+i*lineHeight, scale)
	}
}

// longest is the value at the full width.
func (t *table) longest() float64 {
	longest, bound := 0.0, 0.0
	for i, res := range t.Results {
		if i == 0 || res.Server.Ours {
			bound = max(bound, res.Cost*longestBar)
		}
	}
	for _, res := range t.bars() {
		longest = max(longest, res.Cost)
	}
	if bound > 0 {
		longest = min(longest, bound)
	}
	return max(longest, 1e-9)
}

func (t *table) bar(b *strings.Builder, res *result, x, y int, scale float64) {
	color, weight, text := otherColor, 400, faintInk
	if res.Server.Ours {
		color, weight, text = oursColor, 600, ink
	}
	width := min(max(res.Cost/scale*barMax, shortestBar), barMax)
	left, baseline := x+labelWidth, y+11
	put(b, left-10, baseline, 12, weight, text, "end", res.Server.Short)
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%.1f" height="%d" rx="2" fill="%s"/>`+"\n", left, y, width, barHeight, color)
	if res.Cost > scale {
		tear := left + barMax - 16
		fmt.Fprintf(b, `<path d="M%d %dl4 -%dh4l-4 %dz" fill="%s"/>`+"\n", tear, y+barHeight+1, barHeight+2, barHeight+2, background)
	}
	value := significant(res.Cost)
	if t.kind == memory {
		value = thousands(res.Cost)
	}
	if res.Errors > 0 {
		value += " !"
	}
	put(b, left+int(width)+7, baseline, 11.5, weight, text, "start", value)
}

// significant writes a number with three digits that matter.
func significant(f float64) string {
	switch {
	case f >= 100:
		return thousands(f)
	case f >= 10:
		return fmt.Sprintf("%.1f", f)
	}
	return fmt.Sprintf("%.2f", f)
}

// put writes text with a rim in the background's colour, so that it can stand on a line.
func put(b *strings.Builder, x, y int, size float64, weight int, color, anchor, text string) {
	fmt.Fprintf(b, `<text x="%d" y="%d" font-size="%g" font-weight="%d" fill="%s" text-anchor="%s" stroke="%s" stroke-width="3" paint-order="stroke">%s</text>`+"\n",
		x, y, size, weight, color, anchor, background, html.EscapeString(text))
}
