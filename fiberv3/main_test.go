package eiofiber_test

import (
	"os"
	"testing"

	"github.com/fasteio/engineio/internal/enginetest"
)

// TestMain fails when goroutines outlive the tests.
func TestMain(m *testing.M) { os.Exit(enginetest.Main(m)) }
