// Package integration tests the engine from outside, on everything that it can be mounted in: package table has the
// behaviours and settings, the tests here the stacks.
package integration
