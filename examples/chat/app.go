package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/filesystem"
)

//go:embed web
var web embed.FS

const (
	clientFile  = "engine.io.min.js"
	readTimeout = 20 * time.Second // for a request to come in, whole
)

// newApp is an ordinary Fiber app. The engine stands first; what is not for it goes on to the routes.
func newApp(engine fiber.Handler, c *chat, script []byte) (*fiber.App, error) {
	pages, err := fs.Sub(web, "web")
	if err != nil {
		return nil, err
	}
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadBufferSize:        16 * 1024,   // room for the cookies and headers that proxies add
		ReadTimeout:           readTimeout, // the engine lifts it while a poll waits
		IdleTimeout:           time.Minute,
	})
	app.Use(engine)
	app.Use(secure)
	app.Get("/healthz", func(ctx *fiber.Ctx) error {
		_, online := c.history()
		return ctx.JSON(fiber.Map{"status": "ok", "online": online})
	})
	app.Get("/history", func(ctx *fiber.Ctx) error {
		messages, _ := c.history()
		return ctx.JSON(fiber.Map{"messages": messages})
	})
	app.Get("/"+clientFile, func(ctx *fiber.Ctx) error {
		ctx.Type("js", "utf-8")
		return ctx.Send(script)
	})
	app.Use(filesystem.New(filesystem.Config{Root: http.FS(pages)}))
	return app, nil
}

// secure lets the page load nothing that does not come from here.
func secure(ctx *fiber.Ctx) error {
	ctx.Set(fiber.HeaderContentSecurityPolicy,
		"default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
	ctx.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	ctx.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	ctx.Set(fiber.HeaderCacheControl, "no-cache")
	return ctx.Next()
}

// loadClient reads the official browser client, which npm brings: it is not ours to keep in the repository.
func loadClient(dir string) ([]byte, error) {
	script, err := os.ReadFile(filepath.Join(dir, clientFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("no %s in %s: use `make run`, or run `npm install` in examples/chat "+
			"and start from the root of the module, or name its folder with -client", clientFile, dir)
	}
	return script, err
}
