// Package table has the behaviours of an Engine.IO server that do not depend on what is around it, and the settings
// of that: each behaviour is tested under each setting, on each stack that Run is given. A stack is fasthttp, a version
// of Fiber, or several servers behind a dialer that goes round.
//
// The behaviours are seen from outside, by clients of package enginetest and, where every byte counts, of package
// wstest. A new one is a function and a line in the list of behaviours; a new setting is an entry of Settings.
package table
