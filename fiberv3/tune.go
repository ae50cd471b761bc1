package eiofiber

import (
	"github.com/gofiber/fiber/v3"

	"github.com/fasteio/engineio"
)

// Tune applies engineio.Tune to the app's server, which says what changes for the rest of the app.
// Call it before the app listens. Timeouts that fiber.Config sets stay.
func Tune(app *fiber.App) { engineio.Tune(app.Server()) }
