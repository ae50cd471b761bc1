package engineio_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// Headers are looked for in internal/httpheader alone, which finds them in any case: a check by the exact name
// is skipped where a server does not normalize names, and lets everybody in. Its own test walks over the names.
func TestHeadersAreFoundInAnyCase(t *testing.T) {
	ofFasthttp := []string{
		"Peek", "PeekBytes", "PeekAll", "PeekKeys", "Referer", "ConnectionUpgrade", "HasAcceptEncoding",
		"HasAcceptEncodingBytes", "IfModifiedSince", "VisitAll", "VisitAllInOrder", "AllInOrder",
	}
	ofFiber := []string{
		"Get", "GetReqHeaders", "GetRespHeader", "GetRespHeaders", "Accepts", "AcceptsCharsets", "AcceptsEncodings",
		"AcceptsLanguages", "Fresh", "Hostname", "IP", "IPs", "Is", "IsFromLocal", "Protocol", "Range", "Secure",
		"Stale", "Subdomains", "XHR",
	}
	for dir, files := range sources(t) {
		if dir == "client" || dir == "internal/httpheader" || dir == "internal/enginetest" || dir == "internal/echo" || dir == "internal/fibertest" ||
			strings.HasPrefix(dir, "examples") || strings.HasPrefix(dir, "benchmarks") {
			continue
		}
		for _, path := range files {
			set, file := parse(t, path)
			ast.Inspect(file, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				f, ok := call.Fun.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				of, _ := f.X.(*ast.Ident)
				header := f.Sel.Name == "All" && endsInHeader(f.X)
				switch {
				case slices.Contains(ofFasthttp, f.Sel.Name), header,
					dir == "fiber" && of != nil && of.Name == "c" && slices.Contains(ofFiber, f.Sel.Name):
					t.Errorf("%s: %s reads a header by one spelling of its name; use internal/httpheader",
						set.Position(call.Pos()), f.Sel.Name)
				case of != nil && of.Name == "httpheader":
					for _, arg := range call.Args {
						lit, ok := arg.(*ast.BasicLit)
						if ok && lit.Kind == token.STRING && (f.Sel.Name == "Value" || f.Sel.Name == "AddVary") {
							t.Errorf("%s: %s has no constant in internal/httpheader/names.go", set.Position(lit.Pos()), lit.Value)
						}
					}
				}
				return true
			})
		}
	}
}

// endsInHeader reports whether x is a field or variable Header, h or req: what headers are called here.
func endsInHeader(x ast.Expr) bool {
	switch x := x.(type) {
	case *ast.SelectorExpr:
		return x.Sel.Name == "Header"
	case *ast.Ident:
		return x.Name == "h" || x.Name == "req"
	}
	return false
}
