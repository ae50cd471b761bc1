package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
)

// fact is something that figures depend on.
type fact struct {
	What  string `json:"what"`
	Value string `json:"value"`
}

// environment is the machine and the versions of everything.
func (b *bench) environment() []fact {
	facts := []fact{
		{"processor", processor()},
		{"processors", strconv.Itoa(runtime.NumCPU())},
		{"kernel", firstLine("/proc/sys/kernel/osrelease")},
		{"Go", strings.TrimPrefix(runtime.Version(), "go")},
	}
	if commit := b.output("git", "-C", "..", "rev-parse", "--short", "HEAD"); commit != "" {
		facts = append(facts, fact{"engineio", "commit " + commit})
	}
	facts = append(facts, b.modules()...)
	if b.node != "" {
		facts = append(facts, fact{"Node", strings.TrimPrefix(b.output(b.node, "--version"), "v")},
			fact{"engine.io", packageVersion("engine.io")}, fact{"ws", packageVersion("ws")})
	}
	if b.python != "" {
		facts = append(facts, fact{"Python", strings.TrimPrefix(b.output(b.python, "--version"), "Python ")})
		for _, name := range []string{"python-engineio", "aiohttp"} {
			facts = append(facts, fact{name, b.output(b.python, "-c", "import importlib.metadata as m; print(m.version('"+name+"'))")})
		}
	}
	return facts
}

// modules are the versions of the Go libraries, as they were built into the servers.
func (b *bench) modules() (facts []fact) {
	for _, m := range []struct{ program, path, name string }{
		{"echo", "github.com/valyala/fasthttp", "fasthttp"},
		{"echo", "github.com/gofiber/fiber/v2", "Fiber"},
		{"rawfasthttp", "github.com/fasthttp/websocket", "fasthttp/websocket"},
		{"rawgws", "github.com/lxzan/gws", "gws"},
		{"rawgobwas", "github.com/gobwas/ws", "gobwas/ws"},
		{"googollee", "github.com/googollee/go-socket.io", "googollee/go-socket.io"},
	} {
		info, err := buildinfo.ReadFile(b.bin(m.program))
		if err != nil {
			continue
		}
		for _, dep := range info.Deps {
			if dep.Path == m.path {
				facts = append(facts, fact{m.name, strings.TrimPrefix(dep.Version, "v")})
			}
		}
	}
	return facts
}

// output is the first line that a program prints, empty if it fails.
func (b *bench) output(name string, args ...string) string {
	out, err := exec.CommandContext(b.ctx, name, args...).Output()
	if err != nil {
		return ""
	}
	line, _, _ := bytes.Cut(out, []byte("\n"))
	return strings.TrimSpace(string(line))
}

func packageVersion(name string) string {
	text, err := os.ReadFile(filepath.Join("peers/node/node_modules", name, "package.json"))
	if err != nil {
		return "unknown"
	}
	var p struct{ Version string }
	if err := json.Unmarshal(text, &p); err != nil {
		return "unknown"
	}
	return p.Version
}

func processor() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func firstLine(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return "unknown"
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}
