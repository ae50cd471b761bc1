package engineio_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/fasteio/engineio"

// sources are the module's own files that are not tests, by folder.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	found := make(map[string][]string)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "node_modules" || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && path != ".") {
			return fs.SkipDir
		}
		if d.IsDir() && path != "." {
			if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
				return fs.SkipDir // a module of its own
			}
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			dir := filepath.ToSlash(filepath.Dir(path))
			found[dir] = append(found[dir], path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found["."]) < 10 {
		t.Fatalf("found %d files in the root, the walk is broken", len(found["."]))
	}
	return found
}

func parse(t *testing.T, path string) (*token.FileSet, *ast.File) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return set, file
}

func imports(file *ast.File) []string {
	var paths []string
	for _, spec := range file.Imports {
		paths = append(paths, strings.Trim(spec.Path.Value, `"`))
	}
	return paths
}

func TestImportsFollowTheArrows(t *testing.T) {
	ours := func(dirs ...string) func(string) bool {
		return func(dir string) bool { return slices.Contains(dirs, dir) }
	}
	allowed := map[string]func(dir string) bool{
		"codec":               ours(),
		"fiber":               ours(".", "internal/mount", "internal/status"),
		"middleware":          ours("internal/compress", "internal/httpheader", "internal/origin"),
		".":                   func(dir string) bool { return dir == "codec" || strings.HasPrefix(dir, "internal/") },
		"client":              ours("codec", "internal/bytebuffer", "internal/compress", "internal/conncheck"),
		"internal/enginetest": func(string) bool { return true },

		"internal/mount":     ours(".", "internal/files"),
		"internal/echo":      ours("."),
		"internal/fibertest": func(string) bool { return true },

		"internal/integration/table": func(string) bool { return true },
	}
	for dir, files := range sources(t) {
		may, listed := allowed[dir]
		if !listed && strings.HasPrefix(dir, "internal/") {
			may, listed = func(d string) bool { return d == "codec" || strings.HasPrefix(d, "internal/") }, true
		}
		for _, path := range files {
			_, file := parse(t, path)
			for _, imported := range imports(file) {
				rest, inside := strings.CutPrefix(imported, module)
				to := "."
				if rest != "" {
					to = strings.TrimPrefix(rest, "/")
				}
				if inside && listed && !may(to) {
					t.Errorf("%s imports %s", path, imported)
				}
				if dir == "codec" && strings.Contains(imported, ".") {
					t.Errorf("%s imports %s, codec is for the standard library only", path, imported)
				}
			}
		}
	}
}

// atTheWebServer are the files of the root that import fasthttp. All others are the rules of the protocol, a new file
// included, and do without, in what they import too.
var atTheWebServer = []string{
	"body.go", "config.go", "cookie.go", "drain.go", "handler_fasthttp.go", "id.go", "origins.go", "polling.go", "polling_post.go",
	"polling_response.go", "proxies.go", "refuse.go", "tune.go", "websocket.go", "websocket_accept.go", "websocket_hijack.go",
	"websocket_upgrade.go",
}

func TestRulesDoNotKnowTheWebServer(t *testing.T) {
	all := sources(t)
	for _, path := range all["."] {
		_, file := parse(t, path)
		if slices.Contains(atTheWebServer, path) {
			if !slices.Contains(imports(file), webServer) {
				t.Errorf("%s does not import %s any more: it need not be listed", path, webServer)
			}
			continue
		}
		if way := wayToTheWebServer(t, all, imports(file), nil); way != nil {
			t.Errorf("%s imports %s", path, strings.Join(way, ", which imports "))
		}
	}
}

const webServer = "github.com/valyala/fasthttp"

// wayToTheWebServer is the chain of imports that leads to fasthttp, nil when none does.
func wayToTheWebServer(t *testing.T, all map[string][]string, imported, seen []string) []string {
	t.Helper()
	for _, name := range imported {
		if strings.HasPrefix(name, webServer) {
			return []string{name}
		}
	}
	for _, name := range imported {
		dir, ours := strings.CutPrefix(name, module+"/")
		if !ours || slices.Contains(seen, dir) {
			continue
		}
		for _, path := range all[dir] {
			_, file := parse(t, path)
			if way := wayToTheWebServer(t, all, imports(file), append(seen, dir)); way != nil {
				return append([]string{dir}, way...)
			}
		}
	}
	return nil
}

func TestArchitectureNamesWhatExists(t *testing.T) {
	text, err := os.ReadFile("docs/architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`[a-z][a-z0-9_]*\.go\b|\binternal/[a-z]+`).FindAllString(string(text), -1)
	if len(named) < 30 {
		t.Fatalf("found %d names, the expression is broken", len(named))
	}
	for _, name := range named {
		if _, err := os.Stat(filepath.FromSlash(name)); err != nil {
			t.Errorf("docs/architecture.md names %s: %v", name, err)
		}
	}
}

func TestFunctionsStayShort(t *testing.T) {
	for _, files := range sources(t) {
		for _, path := range files {
			set, file := parse(t, path)
			for _, decl := range file.Decls {
				f, ok := decl.(*ast.FuncDecl)
				if !ok {
					continue
				}
				if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; n > 60 {
					t.Errorf("%s: %s has %d lines", path, f.Name.Name, n)
				}
			}
		}
	}
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	for dir, files := range sources(t) {
		if strings.HasPrefix(dir, "examples") || strings.HasPrefix(dir, "benchmarks") {
			continue
		}
		for _, path := range files {
			_, file := parse(t, path)
			for _, name := range undocumented(file) {
				t.Errorf("%s: %s has no comment", path, name)
			}
		}
	}
}

// undocumented lists the exported names of a file without a comment. A comment above a group of
// constants or variables counts for its members.
func undocumented(file *ast.File) (names []string) {
	for _, decl := range file.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
				names = append(names, d.Name.Name)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				names = append(names, undocumentedSpec(d, spec)...)
			}
		}
	}
	return names
}

func undocumentedSpec(d *ast.GenDecl, spec ast.Spec) (names []string) {
	switch s := spec.(type) {
	case *ast.TypeSpec:
		if !s.Name.IsExported() {
			return nil
		}
		if d.Doc == nil && s.Doc == nil {
			names = append(names, s.Name.Name)
		}
		if fields, ok := s.Type.(*ast.StructType); ok {
			for _, field := range fields.Fields.List {
				for _, name := range field.Names {
					if name.IsExported() && field.Doc == nil && field.Comment == nil {
						names = append(names, s.Name.Name+"."+name.Name)
					}
				}
			}
		}
	case *ast.ValueSpec:
		for _, name := range s.Names {
			if name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	typ := d.Recv.List[0].Type
	for {
		switch t := typ.(type) {
		case *ast.StarExpr:
			typ = t.X
		case *ast.IndexExpr:
			typ = t.X
		case *ast.Ident:
			return t.IsExported()
		default:
			return true
		}
	}
}
