package main

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// write writes the report to a folder, in its three forms.
func (r *report) write(dir string) error {
	r.Date = today()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"latest.md":   r.markdown(),
		"latest.json": append(text, '\n'),
		"latest.svg":  r.picture(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			return err
		}
	}
	say("written to %s", dir)
	return nil
}
