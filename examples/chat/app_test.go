package main

import (
	"encoding/json"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
)

func TestAppRoutes(t *testing.T) {
	c := newChat()
	m, _, err := c.room.join(keyAda, "Ada", "polling")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.room.say(m, "</script>", "", time.UnixMilli(1)); err != nil {
		t.Fatal(err)
	}
	next := func(ctx *fiber.Ctx) error { return ctx.Next() }
	app, err := newApp(next, c, []byte("/* client */"))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]struct {
		status   int
		mime     string
		contains string
	}{
		"/":                 {200, "text/html", "<title>"},
		"/style.css":        {200, "text/css", "color-scheme"},
		"/app.js":           {200, "javascript", "import"},
		"/icon.svg":         {200, "image/svg+xml", "<svg"},
		"/engine.io.min.js": {200, "javascript", "/* client */"},
		"/healthz":          {200, "application/json", `"ok"`},
		"/history":          {200, "application/json", `\u003c/script\u003e`},
		"/nothing":          {404, "", ""},
	} {
		res, err := app.Test(httptest.NewRequest("GET", path, nil))
		if err != nil {
			t.Fatal(path, err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(path, err)
		}
		if res.StatusCode != want.status || !strings.Contains(res.Header.Get("Content-Type"), want.mime) ||
			!strings.Contains(string(body), want.contains) {
			t.Errorf("%s: %d %q %.80q", path, res.StatusCode, res.Header.Get("Content-Type"), body)
		}
		if !strings.HasPrefix(res.Header.Get("Content-Security-Policy"), "default-src 'self'") {
			t.Errorf("%s has no content security policy", path)
		}
	}
}

func TestHistoryOfAnEmptyRoomIsAList(t *testing.T) {
	messages, online := newChat().history()
	if b, err := json.Marshal(messages); err != nil || string(b) != "[]" || online != 0 {
		t.Errorf("%s, %d online, %v", b, online, err)
	}
}

func TestMissingClientSaysWhatToDo(t *testing.T) {
	_, err := loadClient(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "npm install") || !strings.Contains(err.Error(), "make run") {
		t.Errorf("got %v", err)
	}
}

// Who starts it twice reads what to do.
func TestAddressThatIsTaken(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, clientFile), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err = run(t.Context(), ln.Addr().String(), dir)
	if err == nil || !strings.Contains(err.Error(), "make run ADDR=") || !strings.Contains(err.Error(), "-addr") {
		t.Errorf("%v", err)
	}
}
