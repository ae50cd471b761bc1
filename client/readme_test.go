package client_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/fasteio/engineio/client"
)

// The README names every option, and every method of a client.
func TestReadmeIsComplete(t *testing.T) {
	page, err := os.ReadFile("README.md")
	must(t, err)
	named := func(name string) {
		if !strings.Contains(string(page), "`"+name+"`") && !strings.Contains(string(page), "`"+name+"(") {
			t.Errorf("%s is not in README.md", name)
		}
	}
	for _, v := range []any{client.Options{}, client.ReconnectOptions{}} {
		for typ, i := reflect.TypeOf(v), 0; i < typ.NumField(); i++ {
			named(typ.Field(i).Name)
		}
	}
	for typ, i := reflect.TypeFor[*client.Client](), 0; i < typ.NumMethod(); i++ {
		named(typ.Method(i).Name)
	}
}

func TestReadmeCompiles(t *testing.T) {
	page, err := os.ReadFile("README.md")
	must(t, err)
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(snippets) < 4 {
		t.Fatalf("README.md has %d snippets", len(snippets))
	}
	for i, m := range snippets {
		file := filepath.Join(t.TempDir(), fmt.Sprintf("snippet%d.go", i))
		must(t, os.WriteFile(file, []byte(m[1]), 0o600))
		if out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput(); err != nil {
			t.Errorf("%v\n%s\n%s", err, out, m[1])
		}
	}
}
