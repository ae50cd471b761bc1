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
	"net"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

var _ *engineio.Server
var _ *client.Client
var _ = context.Background
var _ = log.Println
var _ net.Listener
var _ *fasthttp.RequestCtx

func main() {
%
}
`

// socketioFragment is the same around a snippet of Socket.IO.
const socketioFragment = `package main

import (
	"context"
	"log"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/socketio"
)

func main() {
	root := socketio.New(socketio.Config{}).Of("/")
	var s *socketio.Socket
%
}
`

func TestReadmeIsShort(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(readme), "\n"); n >= 200 {
		t.Errorf("README.md has %d lines, must stay under 200", n)
	}
}

// Snippets compile, and those that are tests pass.
func TestSnippets(t *testing.T) {
	for page, least := range map[string]int{"README.md": 3, "docs/recipes.md": 4, "docs/socketio.md": 1} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		snippets := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1)
		if len(snippets) < least {
			t.Fatalf("%s has %d snippets", page, len(snippets))
		}
		for _, m := range snippets {
			try(t, m[1])
		}
	}
}

func try(t *testing.T, code string) {
	t.Helper()
	name, command := "main.go", "vet"
	switch {
	case strings.Contains(code, "*testing.T"):
		name, command = "main_test.go", "test"
	case !strings.HasPrefix(code, "package "):
		around := fragment
		if strings.Contains(code, "socketio.") {
			around = socketioFragment
		}
		code = strings.Replace(around, "%", code, 1)
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(code), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "go", command, file)
	cmd.Dir = moduleOf(code)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s\n%s", err, out, code)
	}
}

// moduleOf is the folder of the module that has what a snippet imports.
func moduleOf(code string) string {
	if strings.Contains(code, `/fiber/v3"`) {
		return "fiberv3"
	}
	if strings.Contains(code, `/socketio"`) {
		return "socketio"
	}
	return "."
}
