module github.com/fasteio/engineio/benchmarks

go 1.25.0

replace github.com/fasteio/engineio => ../

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0
	github.com/fasteio/engineio v0.0.0-00010101000000-000000000000
	github.com/fasthttp/websocket v1.5.12
	github.com/gobwas/ws v1.4.0
	github.com/googollee/go-socket.io v1.7.0
	github.com/lxzan/gws v1.8.9
	github.com/valyala/fasthttp v1.73.0
	golang.org/x/sys v0.47.0
)

require (
	github.com/andybalholm/brotli v1.2.8 // indirect
	github.com/dolthub/maphash v0.1.0 // indirect
	github.com/gobwas/httphead v0.1.0 // indirect
	github.com/gobwas/pool v0.2.1 // indirect
	github.com/gorilla/websocket v1.4.2 // indirect
	github.com/klauspost/compress v1.19.1 // indirect
	github.com/savsgio/gotils v0.0.0-20240704082632-aef3928b8a38 // indirect
	github.com/valyala/bytebufferpool v1.0.0 // indirect
	golang.org/x/net v0.57.0 // indirect
)
