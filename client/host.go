package client

import (
	"fmt"
	"net"
	"strings"

	"golang.org/x/net/idna"
)

// hostName is a host as DNS, TLS and HTTP want it: a name in ASCII, by IDNA, or an address without its zone.
// The zone of an IPv6 address means something on this machine alone, so only the dialler is given it (RFC 6874,
// section 4).
func hostName(host string) (name, zone string, err error) {
	if address, zone, ok := strings.Cut(host, "%"); ok && strings.Contains(address, ":") {
		return address, zone, nil
	}
	for i := range len(host) {
		if host[i] >= 0x80 {
			name, err = idna.Lookup.ToASCII(host)
			if err != nil {
				return "", "", fmt.Errorf("invalid host: %w", err)
			}
			return name, "", nil
		}
	}
	return host, "", nil // as it is: the rules of IDNA refuse names that work, with underscores for example
}

// hostPort puts a name and a port, which may be empty, together as URLs and the Host header do.
func hostPort(name, port string) string {
	if strings.Contains(name, ":") {
		name = "[" + name + "]"
	}
	if port != "" {
		name += ":" + port
	}
	return name
}

// hostHeader is what the application has set as Host, spelled as hostName spells it.
func hostHeader(value string) (string, error) {
	host, port, err := net.SplitHostPort(value)
	if err != nil {
		host, port = strings.TrimSuffix(strings.TrimPrefix(value, "["), "]"), ""
	}
	name, _, err := hostName(host)
	if err != nil {
		return "", err
	}
	return hostPort(name, port), nil
}
