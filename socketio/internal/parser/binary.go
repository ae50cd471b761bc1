package parser

import (
	"encoding/base64"
	"strconv"
)

// placeholders finds the places of n attachments in valid JSON, at any depth. It fails for one that names no
// attachment, and for two that name the same: filled in, they would be larger than what the client sent.
func placeholders(data []byte, n int) ([]Placeholder, error) {
	f := finder{data: data}
	f.value(space(data, 0))
	seen := make([]bool, n)
	for _, p := range f.found {
		if p.Num < 0 || p.Num >= n || seen[p.Num] {
			return nil, ErrAttachments
		}
		seen[p.Num] = true
	}
	return f.found, nil
}

type finder struct {
	data  []byte
	found []Placeholder
}

// value looks into the value that starts at, and returns its end. JSON of more than 10,000 levels is not valid
// to encoding/json, so the recursion ends.
func (f *finder) value(at int) int {
	if at >= len(f.data) {
		return at
	}
	switch f.data[at] {
	case '[':
		for at = space(f.data, at+1); at < len(f.data) && f.data[at] != ']'; at = space(f.data, at) {
			if f.data[at] == ',' {
				at = space(f.data, at+1)
			}
			at = f.value(at)
		}
		return at + 1
	case '{':
		return f.object(at)
	}
	return end(f.data, at)
}

// object looks into the object that starts at. What is in a placeholder is not looked at.
func (f *finder) object(at int) int {
	start, before := at, len(f.found)
	is, num := false, -1
	for at = space(f.data, at+1); at < len(f.data) && f.data[at] != '}'; at = space(f.data, at) {
		if f.data[at] == ',' {
			at = space(f.data, at+1)
		}
		after := text(f.data, at)
		key := string(f.data[at:after])
		at = space(f.data, space(f.data, after)+1)
		after = f.value(at)
		switch value := string(f.data[at:after]); key {
		case `"_placeholder"`:
			is = value == "true"
		case `"num"`:
			n, err := strconv.Atoi(value)
			if num = n; err != nil {
				num = -1
			}
		}
		at = after
	}
	if is {
		f.found = append(f.found[:before], Placeholder{start, at + 1, num})
	}
	return at + 1
}

// Fill appends the JSON of p.Data[start:end] to dst, with a base64 string in the place of each attachment, which
// is what encoding/json reads into a []byte.
func (p *Packet) Fill(dst []byte, start, end int) []byte {
	for _, place := range p.Placeholders {
		if place.Start < start || place.End > end {
			continue
		}
		dst = append(dst, p.Data[start:place.Start]...)
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, p.Attachments[place.Num])
		dst = append(dst, '"')
		start = place.End
	}
	return append(dst, p.Data[start:end]...)
}

// At returns the attachment whose placeholder is p.Data[start:end].
func (p *Packet) At(start, end int) ([]byte, bool) {
	for _, place := range p.Placeholders {
		if place.Start == start && place.End == end {
			return p.Attachments[place.Num], true
		}
	}
	return nil, false
}

// Restore puts the attachments into what encoding/json made of JSON with placeholders, in their places, and
// returns it.
func (p *Packet) Restore(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = p.Restore(v[i])
		}
	case map[string]any:
		if v["_placeholder"] == true {
			if num, ok := v["num"].(float64); ok && num >= 0 && int(num) < len(p.Attachments) {
				return p.Attachments[int(num)]
			}
		}
		for key := range v {
			v[key] = p.Restore(v[key])
		}
	}
	return v
}
