package engineio_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
)

func TestEveryOptionIsInTheDocs(t *testing.T) {
	page, err := os.ReadFile("docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{engineio.Config{}, engineio.Cookie{}} {
		typ := reflect.TypeOf(v)
		for i := range typ.NumField() {
			if name := typ.Field(i).Name; !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("%s.%s is not in docs/configuration.md", typ.Name(), name)
			}
		}
	}
}
