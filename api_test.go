package engineio_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/printer"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// apiFile lists what applications can name: every exported name of every public package, with its signature.
const apiFile = "testdata/api.txt"

var updateAPI = flag.Bool("api.update", false, "write "+apiFile+" anew")

// An exported name does not change unnoticed: it changes the listing too.
func TestAPIIsListed(t *testing.T) {
	var b strings.Builder
	imported := make(map[string]*types.Package)
	for _, dir := range publicPackages(t) {
		l := &listing{fset: token.NewFileSet(), path: path.Join(module, dir), imported: imported}
		l.load(t, dir)
		fmt.Fprintf(&b, "# %s\n%s\n\n", l.path, strings.Join(l.all(), "\n"))
	}
	if *updateAPI {
		if err := os.WriteFile(apiFile, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	listed, err := os.ReadFile(apiFile)
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(listed), "\n"), strings.Split(b.String(), "\n")
	for _, line := range was {
		if !slices.Contains(is, line) {
			t.Errorf("- %s", line)
		}
	}
	for _, line := range is {
		if !slices.Contains(was, line) {
			t.Errorf("+ %s", line)
		}
	}
	if t.Failed() || !slices.Equal(was, is) {
		t.Errorf("%s differs from the API: if that is meant, run make api and commit it, and tell of it in CHANGELOG.md", apiFile)
	}
}

// publicPackages are the folders with a package that applications can import, those that others import first.
func publicPackages(t *testing.T) (dirs []string) {
	t.Helper()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		switch name := d.Name(); {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (name[0] == '.' || name == "node_modules" ||
			slices.Contains([]string{"internal", "testdata", "examples", "benchmarks", "interop"}, name)):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.PackageClauseOnly)
		if dir := filepath.ToSlash(filepath.Dir(p)); err == nil && f.Name.Name != "main" && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(dirs)
	i := slices.Index(dirs, "codec")
	return append([]string{"codec"}, slices.Delete(dirs, i, i+1)...)
}

// A listing collects the exported names of one package. Signatures are as in the source, but for the names of parameters;
// constants have their values.
type listing struct {
	fset     *token.FileSet
	path     string
	imported map[string]*types.Package
	files    []*ast.File
	checked  *types.Package
	lines    []string
}

func (l *listing) load(t *testing.T, dir string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(l.fset, name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		l.files = append(l.files, f)
	}
	// Only the values of constants are taken from it, so what packages of others have may be unknown.
	config := types.Config{Importer: l, IgnoreFuncBodies: true, Error: func(error) {}}
	l.checked, _ = config.Check(l.path, l.fset, l.files, nil)
	l.imported[l.path] = l.checked
}

// Import finds the packages that are listed already, and makes others up.
func (l *listing) Import(p string) (*types.Package, error) {
	if l.imported[p] == nil {
		l.imported[p] = types.NewPackage(p, path.Base(p))
		l.imported[p].MarkComplete()
	}
	return l.imported[p], nil
}

func (l *listing) all() []string {
	for _, f := range l.files {
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				l.function(d)
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						l.typeSpec(s)
					case *ast.ValueSpec:
						l.values(d.Tok, s)
					}
				}
			}
		}
	}
	slices.Sort(l.lines)
	return slices.Compact(l.lines)
}

func (l *listing) add(format string, args ...any) {
	l.lines = append(l.lines, fmt.Sprintf(format, args...))
}

func (l *listing) function(d *ast.FuncDecl) {
	if !d.Name.IsExported() {
		return
	}
	signature := strings.TrimPrefix(l.source(d.Type), "func")
	if d.Recv == nil {
		l.add("func %s%s", d.Name, signature)
		return
	}
	receiver := l.source(d.Recv.List[0].Type)
	if ast.IsExported(strings.TrimPrefix(receiver, "*")) {
		l.add("method (%s) %s%s", receiver, d.Name, signature)
	}
}

func (l *listing) typeSpec(s *ast.TypeSpec) {
	if !s.Name.IsExported() {
		return
	}
	name, parameters := s.Name.Name, ""
	if s.TypeParams != nil {
		var list []string
		for _, p := range s.TypeParams.List {
			for _, n := range p.Names {
				list = append(list, n.Name+" "+l.source(p.Type))
			}
		}
		parameters = "[" + strings.Join(list, ", ") + "]"
	}
	switch t := s.Type.(type) {
	case *ast.StructType:
		l.add("type %s%s struct", name, parameters)
		l.members("field", name, t.Fields)
	case *ast.InterfaceType:
		l.add("type %s%s interface", name, parameters)
		l.members("method", name, t.Methods)
	default:
		equals := ""
		if s.Assign.IsValid() {
			equals = "= "
		}
		l.add("type %s%s %s%s", name, parameters, equals, l.source(s.Type))
	}
}

// members lists the fields of a struct, or the methods of an interface.
func (l *listing) members(kind, of string, fields *ast.FieldList) {
	for _, f := range fields.List {
		for _, n := range f.Names {
			if n.IsExported() {
				l.add("%s %s.%s %s", kind, of, n, l.source(f.Type))
			}
		}
		if embedded := l.source(f.Type); len(f.Names) == 0 && ast.IsExported(embedded[strings.LastIndexAny(embedded, "*.")+1:]) {
			l.add("%s %s embeds %s", kind, of, embedded)
		}
	}
}

func (l *listing) values(tok token.Token, s *ast.ValueSpec) {
	for i, n := range s.Names {
		if !n.IsExported() {
			continue
		}
		line := tok.String() + " " + n.Name
		if s.Type != nil {
			line += " " + l.source(s.Type)
		}
		switch c, isConst := l.checked.Scope().Lookup(n.Name).(*types.Const); {
		case isConst && c.Val().Kind() != constant.Unknown:
			if named, ok := c.Type().(*types.Named); ok && s.Type == nil {
				line += " " + named.Obj().Name()
			}
			line += " = " + c.Val().ExactString()
		case s.Type == nil && i < len(s.Values):
			line += " " + l.source(made(s.Values[i]))
		}
		l.add("%s", line)
	}
}

// made is the type of an initial value: that of a literal, or error, as all functions that make such values here return.
func made(value ast.Expr) ast.Expr {
	if v, ok := value.(*ast.CompositeLit); ok {
		return v.Type
	}
	return ast.NewIdent("error")
}

// source prints a type in one line, without the names of parameters.
func (l *listing) source(n ast.Expr) string {
	ast.Inspect(n, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncType); ok {
			unname(f.Params)
			unname(f.Results)
		}
		return true
	})
	var b bytes.Buffer
	if err := printer.Fprint(&b, l.fset, n); err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// unname makes (a, b int) (int, int).
func unname(list *ast.FieldList) {
	if list == nil {
		return
	}
	var unnamed []*ast.Field
	for _, f := range list.List {
		for range max(1, len(f.Names)) {
			unnamed = append(unnamed, &ast.Field{Type: f.Type})
		}
	}
	list.List = unnamed
}
