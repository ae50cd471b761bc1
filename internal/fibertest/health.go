package fibertest

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/fasteio/engineio"
)

// Health is a handler like any other: in a group, behind middleware, and with the app's ErrorHandler kept out.
func health(t *testing.T, kit Kit) {
	for name, end := range map[string]func(*engineio.Server) error{
		"Drain":    func(srv *engineio.Server) error { return srv.Drain(context.Background(), 0) },
		"Shutdown": func(srv *engineio.Server) error { return srv.Shutdown(context.Background()) },
	} {
		t.Run(name, func(t *testing.T) {
			srv := NewEngine(t, engineio.Config{})
			app := kit.NewApp(Config{ErrorHandler: func(c Ctx, _ error) error { return c.SendStatus(500) }})
			app.Use("", func(c Ctx) error {
				c.Set("X-Request-ID", "1")
				return c.Next()
			})
			app.Use("", kit.EngineAlone(srv))
			app.Group("/internal").Get("/health", kit.Health(srv))
			for _, status := range []int{200, 503} {
				for _, method := range []string{"GET", "HEAD"} {
					r, err := app.Test(httptest.NewRequest(method, "/internal/health", nil))
					if err != nil {
						t.Fatal(err)
					}
					if r.StatusCode != status || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("X-Request-ID") != "1" {
						t.Errorf("%s is answered %d %v, want %d", method, r.StatusCode, r.Header, status)
					}
				}
				if err := end(srv); err != nil {
					t.Error(err)
				}
			}
		})
	}
}
