package engineio_test

import (
	"go/ast"
	"path"
	"strings"
	"testing"
)

// What a pool of the process lends may have been made in a synctest bubble, and is then used outside of it: fatal for a
// channel and for a timer. TestBubbles has what this cannot see, the values of other modules.
func TestNoPoolOfTimersOrChannels(t *testing.T) {
	types := declaredTypes(t)
	pools := 0
	for dir, files := range sources(t) {
		for _, name := range files {
			_, file := parse(t, name)
			for _, decl := range file.Decls {
				if d, ok := decl.(*ast.GenDecl); ok && isPool(d) {
					pools++
					if what := types.owns(dir, d, nil); what != "" {
						t.Errorf("%s: a pool of the process lends values with %s", name, what)
					}
				}
			}
			ast.Inspect(file, func(n ast.Node) bool { // a pool without New says in its Get what it has
				if lent := gotten(n); lent != nil {
					if what := types.owns(dir, lent, nil); what != "" {
						t.Errorf("%s: a pool lends values with %s", name, what)
					}
				}
				return true
			})
		}
	}
	if pools < 5 {
		t.Errorf("found %d pools, the walk is broken", pools)
	}
}

// A typeTable has the types that the module's packages declare, by folder and name.
type typeTable map[string]map[string]ast.Expr

func declaredTypes(t *testing.T) typeTable {
	all := make(typeTable)
	for dir, files := range sources(t) {
		all[dir] = make(map[string]ast.Expr)
		for _, name := range files {
			_, file := parse(t, name)
			for _, decl := range file.Decls {
				if d, ok := decl.(*ast.GenDecl); ok {
					for _, spec := range d.Specs {
						if s, ok := spec.(*ast.TypeSpec); ok {
							all[dir][s.Name.Name] = s.Type
						}
					}
				}
			}
		}
	}
	return all
}

// owns names a channel or timer in n, or in a type that n mentions, and is empty when there is none.
func (all typeTable) owns(dir string, n ast.Node, seen []ast.Expr) (what string) {
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ChanType:
			what = "a channel"
		case *ast.SelectorExpr:
			pkg, _ := n.X.(*ast.Ident)
			switch {
			case pkg == nil:
			case pkg.Name == "time" && n.Sel.Name != "Time" && n.Sel.Name != "Duration":
				what = "time." + n.Sel.Name
			default:
				for other := range all {
					if path.Base(other) == pkg.Name {
						what = all.ownsNamed(other, n.Sel.Name, seen)
					}
				}
			}
			return false
		case *ast.Ident:
			what = all.ownsNamed(dir, n.Name, seen)
		case *ast.ArrayType:
			_, others := n.Elt.(*ast.StarExpr)
			return !others // a list of pointers owns nothing of what they point to
		case *ast.FuncType:
			return false // what a function takes it does not own
		}
		return what == ""
	})
	return what
}

func (all typeTable) ownsNamed(dir, name string, seen []ast.Expr) string {
	declared := all[dir][name]
	if declared == nil || len(seen) > 20 {
		return ""
	}
	for _, s := range seen {
		if s == declared {
			return ""
		}
	}
	if what := all.owns(dir, declared, append(seen, declared)); what != "" {
		return what + " of " + name
	}
	return ""
}

// isPool reports whether a declaration of variables has a pool whose values are made when they are asked for.
func isPool(d *ast.GenDecl) (found bool) {
	ast.Inspect(d, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			pkg, _ := s.X.(*ast.Ident)
			found = found || pkg != nil && (pkg.Name == "sync" && s.Sel.Name == "Pool" || pkg.Name == "lend" && s.Sel.Name == "New")
		}
		_, isType := n.(*ast.TypeSpec)
		return !isType
	})
	return found
}

// gotten is the type that pool.Get() is asserted to have in n, or nil.
func gotten(n ast.Node) ast.Expr {
	assert, ok := n.(*ast.TypeAssertExpr)
	if !ok {
		return nil
	}
	call, ok := assert.X.(*ast.CallExpr)
	if !ok || len(call.Args) > 0 {
		return nil
	}
	if get, ok := call.Fun.(*ast.SelectorExpr); ok && strings.HasSuffix(get.Sel.Name, "Get") {
		return assert.Type
	}
	return nil
}
