package eiofiber

import "github.com/gofiber/fiber/v3"

// Config of the middleware.
type Config struct {
	// Next skips the engine when it returns true.
	//
	// Optional. Default: nil
	Next func(c fiber.Ctx) bool

	// Path is where the engine is served, below the prefix of the group that New is used in. A
	// final slash is optional here and in requests; nothing below the path is served. Case
	// matters as in the app's other routes.
	//
	// Optional. Default: the Path of the engine's Config, "/engine.io/"
	Path string
}

// ConfigDefault is the configuration of New without one.
var ConfigDefault = Config{
	Next: nil,
	Path: "",
}

func configDefault(config ...Config) Config {
	if len(config) < 1 {
		return ConfigDefault
	}
	return config[0]
}
