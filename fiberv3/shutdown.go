package eiofiber

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v3"

	"github.com/fasteio/engineio"
)

// OnPreShutdown makes a hook that ends srv before the app stops:
//
//	app.Hooks().OnPreShutdown(eiofiber.OnPreShutdown(srv, 5*time.Second))
//
// It calls srv.Shutdown, while the app still answers: parked polls come home, what was sent is delivered, and sessions
// are told. It takes at most timeout, then what is left is cut off and the hook returns Shutdown's error, which Fiber
// logs. The time is not counted by app.ShutdownWithTimeout.
//
// Sessions that should go one by one instead, over a window that load balancers notice, are drained before the app is
// shut down: srv.Drain(ctx, window), then app.Shutdown().
func OnPreShutdown(srv *engineio.Server, timeout time.Duration) fiber.OnPreShutdownHandler {
	if srv == nil {
		panic("eiofiber: OnPreShutdown needs a Server")
	}
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		return srv.Shutdown(ctx)
	}
}
