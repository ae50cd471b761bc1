package main

import (
	"context"
	_ "embed" // the program
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

//go:embed fiber.txt
var fiberProgram []byte

// buildFiber builds the server with Fiber, which is a dependency of the root module and not of this
// one: as a program of the root module, in a folder that exists for that build only.
func buildFiber(ctx context.Context) (program string, remove func(), err error) {
	mod, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", nil, err
	}
	benchmarks := filepath.Dir(strings.TrimSpace(string(mod)))
	root := filepath.Dir(benchmarks)
	dir, err := os.MkdirTemp("", "soak-")
	if err != nil {
		return "", nil, err
	}
	remove = func() { os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			remove()
		}
	}()
	overlay, err := overlayFiber(dir, filepath.Join(benchmarks, "soak", "server"), filepath.Join(root, "examples", "soak"))
	if err != nil {
		return "", nil, err
	}
	program = filepath.Join(dir, "server")
	cmd := exec.CommandContext(ctx, "go", "build", "-overlay", overlay, "-o", program, "./examples/soak")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("building the server with Fiber: %w\n%s", err, out)
	}
	return program, remove, nil
}

// overlayFiber writes to dir what makes the folder as consist of the program and the package in source.
func overlayFiber(dir, source, as string) (string, error) {
	program := filepath.Join(dir, "main.go")
	if err := os.WriteFile(program, fiberProgram, 0o666); err != nil {
		return "", err
	}
	replace := map[string]string{filepath.Join(as, "main.go"): program}
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil {
		return "", err
	}
	for _, f := range files {
		replace[filepath.Join(as, "server", filepath.Base(f))] = f
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o666)
}
