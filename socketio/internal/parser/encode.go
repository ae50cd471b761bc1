package parser

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// AppendHead appends what stands in front of a packet's JSON. attachments counts for events and
// acknowledgements alone, which take their binary form by it.
func AppendHead(dst []byte, t Type, attachments int, namespace string) []byte {
	if attachments > 0 {
		t += BinaryEvent - Event
	}
	dst = append(dst, '0'+byte(t))
	if attachments > 0 {
		dst = strconv.AppendInt(dst, int64(attachments), 10)
		dst = append(dst, '-')
	}
	if namespace != "/" {
		dst = append(dst, namespace...)
		dst = append(dst, ',')
	}
	return dst
}

// An Encoder makes packets. The zero value is ready to use.
type Encoder struct {
	// Marshal makes JSON of values. Nil: encoding/json, without escapes for HTML.
	Marshal func(v any) ([]byte, error)
}

// AppendEvent appends the JSON array of an event's name and its arguments: see AppendValues.
func (e *Encoder) AppendEvent(dst []byte, name string, args []any) (_ []byte, attachments [][]byte, err error) {
	if dst, err = e.Append(append(dst, '['), name); err != nil {
		return nil, nil, err
	}
	return e.appendRest(dst, true, args)
}

// AppendValues appends a JSON array of values. A []byte becomes a placeholder, also within []any and
// map[string]any; attachments are those found, which are not copied.
func (e *Encoder) AppendValues(dst []byte, values []any) (_ []byte, attachments [][]byte, err error) {
	return e.appendRest(append(dst, '['), false, values)
}

func (e *Encoder) appendRest(dst []byte, comma bool, values []any) (_ []byte, attachments [][]byte, err error) {
	for i, v := range values {
		if i > 0 || comma {
			dst = append(dst, ',')
		}
		if dst, err = e.Append(dst, detach(v, &attachments)); err != nil {
			return nil, nil, fmt.Errorf("socketio: argument %d: %w", i+1, err)
		}
	}
	return append(dst, ']'), attachments, nil
}

// Append appends the JSON of a value.
func (e *Encoder) Append(dst []byte, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case string:
		if isPlain(v) {
			dst = append(dst, '"')
			dst = append(dst, v...)
			return append(dst, '"'), nil
		}
	}
	if e.Marshal != nil {
		text, err := e.Marshal(v)
		return append(dst, text...), err
	}
	b := bytes.NewBuffer(dst)
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}

// isPlain reports whether a string stands in JSON as it is.
func isPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

type placeholder struct {
	Is  bool `json:"_placeholder"`
	Num int  `json:"num"`
}

// detach returns v with placeholders for its []byte, which it adds to attachments. v itself is not changed.
func detach(v any, attachments *[][]byte) any {
	switch v := v.(type) {
	case []byte:
		*attachments = append(*attachments, v)
		return placeholder{true, len(*attachments) - 1}
	case []any:
		if !hasBinary(v) {
			return v
		}
		list := make([]any, len(v))
		for i := range v {
			list[i] = detach(v[i], attachments)
		}
		return list
	case map[string]any:
		if !hasBinary(v) {
			return v
		}
		object := make(map[string]any, len(v))
		for key := range v {
			object[key] = detach(v[key], attachments)
		}
		return object
	}
	return v
}

func hasBinary(v any) bool {
	switch v := v.(type) {
	case []byte:
		return true
	case []any:
		for i := range v {
			if hasBinary(v[i]) {
				return true
			}
		}
	case map[string]any:
		for key := range v {
			if hasBinary(v[key]) {
				return true
			}
		}
	}
	return false
}
