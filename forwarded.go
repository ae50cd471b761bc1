package engineio

import (
	"net"
	"net/netip"
	"strings"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/httpheader"
)

// proxies are the peers whose X-Forwarded-* headers count. Anybody else may write what he likes
// into them.
type proxies []netip.Prefix

// newProxies reads addresses ("10.1.2.3") and networks ("10.0.0.0/8").
func newProxies(list []string) (proxies, error) {
	var p proxies
	for _, entry := range list {
		network, err := parseNetwork(entry)
		if err != nil {
			return nil, err
		}
		p = append(p, network)
	}
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

func (p proxies) trust(addr netip.Addr) bool {
	for _, network := range p {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// remoteAddr is the client's address: the peer's, or, seen from a trusted peer, the nearest
// address in X-Forwarded-For that is not a proxy of ours. A forwarded address has port 0.
func (p proxies) remoteAddr(ctx *fasthttp.RequestCtx) netip.AddrPort {
	peer := peerAddr(ctx)
	if !p.trust(peer.Addr()) {
		return peer
	}
	// a proxy may add to the line, or add a line
	hops := strings.Split(string(httpheader.Value(&ctx.Request.Header, httpheader.ForwardedFor)), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		addr, ok := parseHop(strings.TrimSpace(hops[i]))
		if !ok {
			break // what is left of it was written by nobody we know
		}
		peer = netip.AddrPortFrom(addr, 0)
		if !p.trust(peer.Addr()) {
			break
		}
	}
	return peer
}

// parseHop reads an address, with or without a port.
func parseHop(hop string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(hop)
	if err != nil {
		var withPort netip.AddrPort
		withPort, err = netip.ParseAddrPort(hop)
		addr = withPort.Addr()
	}
	return addr.Unmap().WithZone(""), err == nil
}

// host is the host the client asked for. It is not ctx.Host(): that is taken from any target with two slashes
// at its start and "://" somewhere, which a page can make a browser send to another host.
func (p proxies) host(ctx *fasthttp.RequestCtx) string {
	return p.forwarded(ctx, httpheader.ForwardedHost, string(ctx.Request.Header.Host()))
}

// secure tells whether the client came by TLS.
func (p proxies) secure(ctx *fasthttp.RequestCtx) bool {
	own := "http"
	if ctx.IsTLS() {
		own = "https"
	}
	return strings.EqualFold(p.forwarded(ctx, httpheader.ForwardedProto, own), "https")
}

// forwarded is the first value of a header if the peer may set it, and otherwise own.
func (p proxies) forwarded(ctx *fasthttp.RequestCtx, name httpheader.Name, own string) string {
	if len(p) == 0 {
		return own
	}
	value := httpheader.Value(&ctx.Request.Header, name)
	if len(value) == 0 || !p.trust(peerAddr(ctx).Addr()) {
		return own
	}
	first, _, _ := strings.Cut(string(value), ",")
	return strings.TrimSpace(first)
}

func peerAddr(ctx *fasthttp.RequestCtx) netip.AddrPort {
	a, ok := ctx.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}
