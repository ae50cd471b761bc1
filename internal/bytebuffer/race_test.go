//go:build race

package bytebuffer

const raceEnabled = true
