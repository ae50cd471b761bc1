package middleware

import (
	"path"
	"strings"
)

// contentTypes is a table of our own because package mime reads those of the machine, and they differ.
var contentTypes = map[string]string{
	".aac": "audio/aac", ".avif": "image/avif", ".bmp": "image/bmp", ".css": "text/css; charset=utf-8",
	".csv": "text/csv; charset=utf-8", ".flac": "audio/flac", ".gif": "image/gif", ".gz": "application/gzip",
	".htm": "text/html; charset=utf-8", ".html": "text/html; charset=utf-8", ".ico": "image/x-icon",
	".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".js": "text/javascript; charset=utf-8",
	".json": "application/json", ".jsonld": "application/ld+json", ".m4a": "audio/mp4", ".map": "application/json",
	".md": "text/markdown; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".mp3": "audio/mpeg",
	".mp4": "video/mp4", ".ogg": "audio/ogg", ".otf": "font/otf", ".pdf": "application/pdf", ".png": "image/png",
	".svg": "image/svg+xml", ".tar": "application/x-tar", ".ttf": "font/ttf", ".txt": "text/plain; charset=utf-8",
	".wasm": "application/wasm", ".wav": "audio/wav", ".webm": "video/webm",
	".webmanifest": "application/manifest+json", ".webp": "image/webp", ".woff": "font/woff", ".woff2": "font/woff2",
	".xhtml": "application/xhtml+xml", ".xml": "application/xml", ".zip": "application/zip",
}

// contentType returns the type of a file: the rule's, or that of the extension.
func contentType(f StaticFile, name string) string {
	if f.ContentType != "" {
		return f.ContentType
	}
	if t, ok := contentTypes[strings.ToLower(path.Ext(name))]; ok {
		return t
	}
	return "application/octet-stream"
}
