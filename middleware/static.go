package middleware

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

// StaticFiles maps URL paths to files and directories, with the rules of python-engineio's
// static_files. A key is one of
//
//   - the path of a file: "/": {Name: "latency.html"}
//   - the path of a directory, with or without a slash at its end: "/static": {Name: "./public"}
//   - "", whose file is what a URL that ends in a slash gets in a directory. Default: index.html
type StaticFiles map[string]StaticFile

// StaticFile is the target of a rule.
type StaticFile struct {
	// Name is the file or directory, relative to the working directory of the moment of the request.
	Name string

	// ContentType overrides what the extension says; for a directory, that of all files in it.
	// Default: by extension, or application/octet-stream.
	ContentType string
}

// Static serves files and passes on every request that no file answers.
//
//	h = middleware.Static(middleware.StaticFiles{
//		"/":       {Name: "latency.html"},
//		"/static": {Name: "./public"},
//	})(h)
//
// The exact path decides first, then the longest directory. Files are looked up at each request, so
// they may come and go. Requests other than GET and HEAD, and everything that is not a regular file
// go on to next, directories requested without a slash at the end included; there are no listings.
//
// A request cannot leave the directory of a rule: not by "..", encoded or not, and not by a symbolic
// link, which is followed only as long as it stays inside. The directory itself, and files named in a
// rule, may be links to anywhere. Names that begin with a dot are not served out of a directory,
// except .well-known; a rule of their own serves them.
//
// Last-Modified and ETag are sent and If-None-Match, If-Modified-Since, Range (one) and If-Range
// honoured. fasthttp.FS is not used: it follows links out of its root, caches what has changed for 10 s
// and logs each miss. Nothing is compressed here, Compress does that.
func Static(files StaticFiles) func(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	s := newStatic(files)
	return func(next fasthttp.RequestHandler) fasthttp.RequestHandler {
		needNext("Static", next)
		return func(ctx *fasthttp.RequestCtx) {
			if (ctx.IsGet() || ctx.IsHead()) && s.serve(ctx) {
				return
			}
			next(ctx)
		}
	}
}

type static struct {
	exact map[string]StaticFile
	dirs  map[string]StaticFile // without the slash at the end
	index StaticFile
}

func newStatic(files StaticFiles) *static {
	s := &static{exact: maps.Clone(files), dirs: map[string]StaticFile{}, index: StaticFile{Name: "index.html"}}
	if len(files) == 0 {
		panic("middleware: Static: no files are given")
	}
	for url, f := range files {
		switch {
		case f.Name == "":
			panic("middleware: Static: " + strconv.Quote(url) + ": Name is missing")
		case url == "":
			if path.Base(f.Name) != f.Name || f.Name == "." || f.Name == ".." {
				panic("middleware: Static: the index " + strconv.Quote(f.Name) + " must be a bare name")
			}
			s.index = f
			delete(s.exact, url)
			continue
		case url[0] != '/' || path.Clean(url) != strings.TrimSuffix(url, "/") && url != "/":
			panic("middleware: Static: " + strconv.Quote(url) + " is not the path of a URL")
		}
		key := strings.TrimSuffix(url, "/")
		if _, both := files[key]; key == url || !both || key == "" {
			s.dirs[key] = f
		}
	}
	return s
}

// serve answers the request if a file does, and reports whether it did.
func (s *static) serve(ctx *fasthttp.RequestCtx) bool {
	url := string(ctx.Path())
	if f, ok := s.exact[url]; ok {
		if file, info := openFile(f.Name); file != nil {
			send(ctx, file, info, contentType(f, file.Name()))
			return true
		}
		return strings.HasSuffix(url, "/") && s.serveIn(ctx, f, "")
	}
	for i := strings.LastIndexByte(url, '/'); i >= 0; i = strings.LastIndexByte(url[:i], '/') {
		if f, ok := s.dirs[url[:i]]; ok {
			return s.serveIn(ctx, f, url[i+1:])
		}
	}
	return false
}

// serveIn serves the file below the directory of a rule.
func (s *static) serveIn(ctx *fasthttp.RequestCtx, dir StaticFile, rest string) bool {
	if rest == "" || rest[len(rest)-1] == '/' {
		rest += s.index.Name
		if s.index.ContentType != "" {
			dir.ContentType = s.index.ContentType
		}
	}
	if hidden(rest) {
		return false
	}
	local, err := filepath.Localize(rest) // refuses "..", NUL, and what Windows takes for separators and devices
	if err != nil {
		return false
	}
	root, err := os.OpenRoot(dir.Name)
	if err != nil {
		return false
	}
	defer root.Close()
	info, err := root.Stat(local)
	if err != nil || !info.Mode().IsRegular() { // asked before Open, which would wait for a pipe's writer
		return false
	}
	file, err := root.Open(local)
	if err != nil {
		return false
	}
	send(ctx, file, info, contentType(dir, rest))
	return true
}

func openFile(name string) (*os.File, fs.FileInfo) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, nil
	}
	return file, info
}

// hidden reports whether a segment of the path begins with a dot.
func hidden(rest string) bool {
	for segment := range strings.SplitSeq(rest, "/") {
		if segment != "" && segment[0] == '.' && segment != ".well-known" {
			return true
		}
	}
	return false
}
