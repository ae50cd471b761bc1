package eiofiber

import (
	"github.com/gofiber/fiber/v2"

	"github.com/fasteio/engineio"
)

// Tune applies engineio.Tune to the app's server, which says what changes for the rest of the app.
// Call it before the app listens. What fiber.Config sets, timeouts included, stays.
func Tune(app *fiber.App) { engineio.Tune(app.Server()) }
