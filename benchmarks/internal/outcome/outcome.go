// Package outcome is what one run of the load generator found, as it prints it with -json and as
// the comparison reads it.
package outcome

// Outcome is the result of one run. Latencies are in microseconds. What the server cost is zero
// when the run was not told its process id.
type Outcome struct {
	What    string  `json:"what"`    // the unit counted: messages, handshakes, sessions, deliveries
	Count   int64   `json:"count"`   // how many, within the measured time
	Seconds float64 `json:"seconds"` // the measured time
	Rate    float64 `json:"rate"`    // count per second

	P50  int64 `json:"p50"`
	P90  int64 `json:"p90"`
	P99  int64 `json:"p99"`
	P999 int64 `json:"p999"`
	Max  int64 `json:"max"`

	CPUPerMillion float64 `json:"cpuPerMillion"` // the server's CPU seconds per million of what was counted
	Cores         float64 `json:"cores"`         // the server's CPU seconds per second
	ClientCores   float64 `json:"clientCores"`   // the load generator's own
	RSSMB         float64 `json:"rssMB"`         // the server's memory at the end, MiB
	PerSession    float64 `json:"perSession"`    // -idle: bytes of the server's memory for each session

	Mismatched int64 `json:"mismatched"` // echoes that were wrong or out of order
	Lost       int64 `json:"lost"`       // messages that were sent and never came back
	Timeouts   int64 `json:"timeouts"`   // clients that waited too long
	Failed     int64 `json:"failed"`     // connections refused or broken

	Faults []string `json:"faults,omitempty"` // the first few, in words
}

// Errors is everything that went wrong.
func (o *Outcome) Errors() int64 { return o.Mismatched + o.Lost + o.Timeouts + o.Failed }
