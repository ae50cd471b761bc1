// Package benchmarks measures the engine and what it is compared with. The benchmarks are Go's own;
// load, peers and compare are commands. See README.md.
package benchmarks
