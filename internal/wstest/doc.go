// Package wstest is the client's end of a WebSocket for tests: it sends whatever frames it is told to, right or
// wrong, and reads those of the server as strictly as RFC 6455 allows.
package wstest
