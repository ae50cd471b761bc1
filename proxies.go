package engineio

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/httpheader"
)

// proxies are the peers whose X-Forwarded-* headers count. Any other peer can write anything into those.
type proxies struct {
	networks  []netip.Prefix
	unix      bool // those on Unix sockets
	everybody bool // those without an IP address too
}

// newProxies reads addresses ("10.1.2.3"), networks ("10.0.0.0/8") and "unix". All of IPv4 and all of IPv6
// together are everybody.
func newProxies(list []string) (proxies, error) {
	var p proxies
	for _, entry := range list {
		if entry == "unix" {
			p.unix = true
			continue
		}
		network, err := parseNetwork(entry)
		if err != nil {
			return proxies{}, err
		}
		p.networks = append(p.networks, network)
	}
	p.everybody = slices.Contains(p.networks, netip.PrefixFrom(netip.IPv4Unspecified(), 0)) &&
		slices.Contains(p.networks, netip.PrefixFrom(netip.IPv6Unspecified(), 0))
	return p, nil
}

func parseNetwork(entry string) (netip.Prefix, error) {
	if !strings.Contains(entry, "/") {
		addr, err := netip.ParseAddr(entry)
		addr = addr.Unmap().WithZone("")
		return netip.PrefixFrom(addr, addr.BitLen()), err
	}
	network, err := netip.ParsePrefix(entry)
	if addr := network.Addr(); addr.Is4In6() && network.Bits() >= 96 {
		network = netip.PrefixFrom(addr.Unmap(), network.Bits()-96)
	}
	return network.Masked(), err
}

// trusts reports whether an address is that of a proxy.
func (p proxies) trusts(addr netip.Addr) bool {
	for _, network := range p.networks {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// trustsPeer reports whether the peer of a connection is a proxy.
func (p proxies) trustsPeer(ctx *fasthttp.RequestCtx) bool {
	if peer := peerAddr(ctx).Addr(); peer.IsValid() {
		return p.trusts(peer)
	}
	return p.everybody || p.unix && isUnix(ctx.RemoteAddr())
}

// remoteAddr is the client's address: the peer's, or, seen from a trusted peer, the nearest
// address in X-Forwarded-For that is not a trusted proxy. A forwarded address has port 0. It is not valid
// where the peer has no IP address and the header has none.
func (p proxies) remoteAddr(ctx *fasthttp.RequestCtx) netip.AddrPort {
	client := peerAddr(ctx)
	if !p.trustsPeer(ctx) {
		return client
	}
	// A proxy may add to the line, or add a line.
	hops := strings.Split(string(httpheader.Value(&ctx.Request.Header, httpheader.ForwardedFor)), ",")
	for _, hop := range slices.Backward(hops) {
		if hop = strings.Trim(hop, " \t"); hop == "" {
			continue // empty elements of a list count for nothing
		}
		addr, ok := parseHop(hop)
		if !ok {
			break // what stands before it was not written by a trusted proxy
		}
		client = netip.AddrPortFrom(addr, 0)
		if !p.trusts(addr) {
			break
		}
	}
	return client
}

// parseHop reads an address, with or without a port, brackets and quotes.
func parseHop(hop string) (netip.Addr, bool) {
	hop = unquote(hop)
	if inner, ok := strings.CutPrefix(hop, "["); ok && strings.HasSuffix(inner, "]") {
		addr, err := netip.ParseAddr(inner[:len(inner)-1])
		return addr.Unmap().WithZone(""), err == nil && addr.Is6()
	}
	addr, err := netip.ParseAddr(hop)
	if err != nil {
		var withPort netip.AddrPort
		withPort, err = netip.ParseAddrPort(hop)
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), err == nil
}

// unquote takes the quotes off a quoted string. Addresses, hosts and protocols have nothing to escape in it.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		return s[1 : len(s)-1]
	}
	return s
}

// host is the host the client asked for. It is not ctx.Host(): that is taken from any target with two slashes
// at its start and "://" somewhere, which a page can make a browser send to another host.
func (p proxies) host(ctx *fasthttp.RequestCtx) string {
	return p.forwarded(ctx, httpheader.ForwardedHost, string(ctx.Request.Header.Host()))
}

// secure reports whether the client came by TLS. Some proxies call a WebSocket's protocol wss.
func (p proxies) secure(ctx *fasthttp.RequestCtx) bool {
	own := "http"
	if ctx.IsTLS() {
		own = "https"
	}
	proto := p.forwarded(ctx, httpheader.ForwardedProto, own)
	return strings.EqualFold(proto, "https") || strings.EqualFold(proto, "wss")
}

// forwarded is the first value of a header if the peer may set it, and otherwise own.
func (p proxies) forwarded(ctx *fasthttp.RequestCtx, name httpheader.Name, own string) string {
	if len(p.networks) == 0 && !p.unix {
		return own
	}
	value := httpheader.First(httpheader.Value(&ctx.Request.Header, name))
	if len(value) == 0 || !p.trustsPeer(ctx) {
		return own
	}
	return unquote(string(value))
}

// peerAddr is the IP address and port of the connection's peer. It is not valid for a Unix socket, or a pipe.
func peerAddr(ctx *fasthttp.RequestCtx) netip.AddrPort {
	var ap netip.AddrPort
	a := ctx.RemoteAddr()
	if tcp, ok := a.(*net.TCPAddr); ok {
		ap = tcp.AddrPort()
	} else if !isUnix(a) { // a listener may have a type of its own
		ap, _ = netip.ParseAddrPort(a.String())
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}

// isUnix reports whether an address is one of a Unix socket. Its name is anything that the peer has chosen.
func isUnix(a net.Addr) bool { return strings.HasPrefix(a.Network(), "unix") }
