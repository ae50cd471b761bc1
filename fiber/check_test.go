package eiofiber_test

import (
	"bytes"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
)

// A notebook is a logger's output.
type notebook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notebook) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(b)
}

func (n *notebook) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// ask makes one handshake in an app of that configuration, without a network, and returns the
// status and what was logged.
func ask(t *testing.T, app fiber.Config, engine engineio.Config) (status int, log string) {
	t.Helper()
	var n notebook
	engine.Logger = slog.New(slog.NewTextHandler(&n, nil))
	srv := newEngine(t, engine)
	a := fiber.New(app)
	a.Use(eiofiber.New(srv))
	for range 2 { // what there is to say is said once
		r, err := a.Test(httptest.NewRequest("GET", "/engine.io/"+query, nil))
		if err != nil {
			t.Fatal(err)
		}
		status = r.StatusCode
	}
	return status, n.String()
}

func TestPreforkIsRefusedWithPolling(t *testing.T) {
	webSocket := engineio.Config{Transports: []engineio.Transport{engineio.WebSocket}}
	for name, c := range map[string]struct {
		prefork bool
		engine  engineio.Config
		status  int
		logged  int
	}{
		"polling":           {false, engineio.Config{}, 200, 0},
		"prefork":           {true, engineio.Config{}, 500, 1},
		"prefork WebSocket": {true, webSocket, 400, 0},
	} {
		status, log := ask(t, fiber.Config{Prefork: c.prefork}, c.engine)
		if status != c.status || strings.Count(log, "level=ERROR") != c.logged || !strings.Contains(log, "Prefork") && c.logged > 0 {
			t.Errorf("%s: status %d, logged %q", name, status, log)
		}
	}
}

func TestBodyLimitBelowMaxPayload(t *testing.T) {
	for name, c := range map[string]struct {
		limit, max, logged int
	}{
		"below":   {1000, 1001, 1},
		"same":    {1000, 1000, 0},
		"default": {0, 0, 0},
	} {
		status, log := ask(t, fiber.Config{BodyLimit: c.limit}, engineio.Config{MaxPayload: c.max})
		if status != 200 || strings.Count(log, "BodyLimit is below") != c.logged {
			t.Errorf("%s: status %d, logged %q", name, status, log)
		}
	}
}

func TestNewWithoutServer(t *testing.T) {
	defer func() {
		if p := recover(); p != "eiofiber: New needs a Server" {
			t.Errorf("panic %v", p)
		}
	}()
	eiofiber.New(nil)
}

func TestConfigDefault(t *testing.T) {
	srv := newEngine(t, engineio.Config{})
	app := fiber.New()
	app.Use(eiofiber.New(srv, eiofiber.ConfigDefault))
	r, err := app.Test(httptest.NewRequest("GET", "/engine.io/"+query, nil))
	if err != nil || r.StatusCode != 200 {
		t.Errorf("%v, %v", r, err)
	}
}
