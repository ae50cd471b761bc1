package httpheader

// Name is the name of a header. Its constants are all that the engine and its middlewares look for in a
// request, and what they look for in a response.
type Name string

// The names, in the spelling that documents use.
const (
	Origin                      Name = "Origin"
	Referer                     Name = "Referer"
	SecFetchSite                Name = "Sec-Fetch-Site"
	AccessControlRequestMethod  Name = "Access-Control-Request-Method"
	AccessControlRequestHeaders Name = "Access-Control-Request-Headers"
	AccessControlAllowOrigin    Name = "Access-Control-Allow-Origin"

	ForwardedFor   Name = "X-Forwarded-For"
	ForwardedHost  Name = "X-Forwarded-Host"
	ForwardedProto Name = "X-Forwarded-Proto"

	Connection             Name = "Connection"
	Upgrade                Name = "Upgrade"
	SecWebSocketVersion    Name = "Sec-WebSocket-Version"
	SecWebSocketKey        Name = "Sec-WebSocket-Key"
	SecWebSocketProtocol   Name = "Sec-WebSocket-Protocol"
	SecWebSocketExtensions Name = "Sec-WebSocket-Extensions"

	AcceptEncoding  Name = "Accept-Encoding"
	CacheControl    Name = "Cache-Control"
	ETag            Name = "ETag"
	IfModifiedSince Name = "If-Modified-Since"
	IfNoneMatch     Name = "If-None-Match"
	IfRange         Name = "If-Range"
	Range           Name = "Range"
	Vary            Name = "Vary"
)
