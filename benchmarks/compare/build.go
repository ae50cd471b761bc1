package main

import (
	"bytes"
	"context"
	_ "embed" // the overlay
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// bench is what a comparison works with.
type bench struct {
	o       options
	ctx     context.Context
	bins    string // folder of what has been built
	remove  bool   // it at the end
	tunable bool   // our echo server has the flag -tuned
	node    string // the interpreters, empty if what they are to run is not installed
	python  string
	notes   []string // for the report: what is missing, and why
}

// newBench builds the servers and the load generator, and looks for the interpreters.
func newBench(ctx context.Context, o options) (*bench, error) {
	b := &bench{o: o, ctx: ctx, bins: o.build}
	if _, err := os.Stat("peers"); err != nil {
		return nil, fmt.Errorf("run it in the folder benchmarks: %w", err)
	}
	if b.bins == "" {
		dir, err := os.MkdirTemp("", "engineio-benchmarks-")
		if err != nil {
			return nil, err
		}
		b.bins, b.remove = dir, true
	}
	if err := b.buildAll(); err != nil {
		b.close()
		return nil, err
	}
	help, _ := exec.CommandContext(ctx, b.bin("echo"), "-h").CombinedOutput() // status 2 is its custom
	b.tunable = bytes.Contains(help, []byte("-tuned"))
	b.findNode()
	b.findPython()
	return b, nil
}

func (b *bench) close() {
	if b.remove {
		os.RemoveAll(b.bins)
	}
}

// bin is the path of a program that has been built.
func (b *bench) bin(name string) string {
	path, err := filepath.Abs(filepath.Join(b.bins, name))
	if err != nil {
		panic(err) // the working directory is gone
	}
	return path
}

func (b *bench) buildAll() error {
	for _, pkg := range []string{"load", "peers/rawfasthttp", "peers/rawgws", "peers/rawgobwas", "peers/googollee", "peers/broadcast"} {
		if err := b.build(".", filepath.Base(pkg), "./"+pkg); err != nil {
			return err
		}
	}
	return b.buildEcho()
}

// buildEcho builds our server from the root module, with a file more.
func (b *bench) buildEcho() error {
	added, err := filepath.Abs("../examples/echo/benchmark_overlay.go")
	if err != nil {
		return err
	}
	source := b.bin("overlay.go")
	if err := os.WriteFile(source, overlay, 0o666); err != nil {
		return err
	}
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {added: source}})
	if err != nil {
		return err
	}
	file := b.bin("overlay.json")
	if err := os.WriteFile(file, replace, 0o666); err != nil {
		return err
	}
	return b.build("..", "echo", "-overlay", file, "./examples/echo")
}

//go:embed overlay.txt
var overlay []byte

func (b *bench) build(dir, name string, args ...string) error {
	say("building %s", name)
	cmd := exec.CommandContext(b.ctx, "go", append([]string{"build", "-o", b.bin(name)}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w\n%s", name, err, out)
	}
	return nil
}

// findNode looks for Node and installs engine.io for it.
func (b *bench) findNode() {
	node, err := exec.LookPath("node")
	if err != nil {
		b.note("node is not installed; its rows are missing")
		return
	}
	if _, err := os.Stat("peers/node/node_modules/engine.io"); err != nil {
		say("npm install in peers/node")
		cmd := exec.CommandContext(b.ctx, "npm", "install", "--no-audit", "--no-fund", "--no-save", "--loglevel=error")
		cmd.Dir = "peers/node"
		if out, err := cmd.CombinedOutput(); err != nil {
			b.note("npm install failed; the rows of node are missing: %v: %s", err, lastLine(out))
			return
		}
	}
	b.node = node
}

// findPython looks for Debian's packages, which are for Debian's interpreter.
func (b *bench) findPython() {
	python := os.Getenv("PYTHON")
	if python == "" {
		python = "/usr/bin/python3"
	}
	if err := exec.CommandContext(b.ctx, python, "-c", "import engineio, aiohttp").Run(); err != nil {
		list, _ := os.ReadFile("peers/python/apt-packages.txt")
		b.note("python-engineio is not installed; its rows are missing (apt-get install %s)", strings.Join(strings.Fields(string(list)), " "))
		return
	}
	b.python = python
}

// note keeps something for the report.
func (b *bench) note(format string, args ...any) {
	b.notes = append(b.notes, fmt.Sprintf(format, args...))
	say(format, args...)
}

// say tells whoever waits.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
