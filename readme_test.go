package engineio_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// fragment is what stands around a snippet of the README that is no program.
const fragment = `package main

import (
	"context"
	"log"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

var _ *engineio.Server
var _ *client.Client
var _ = context.Background
var _ = log.Println
var _ *fasthttp.RequestCtx

func main() {
%
}
`

func TestReadmeSnippetsCompile(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(readme), "\n"); n >= 200 {
		t.Errorf("README.md has %d lines, must stay under 200", n)
	}
	snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(snippets) < 3 {
		t.Fatalf("found %d snippets", len(snippets))
	}
	for _, m := range snippets {
		code := m[1]
		if !strings.HasPrefix(code, "package ") {
			code = strings.Replace(fragment, "%", code, 1)
		}
		file := filepath.Join(t.TempDir(), "main.go")
		if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "go", "vet", file).CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s\n%s", err, out, code)
		}
	}
}
