package socketio

import (
	"errors"
	"reflect"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

func handshakeQuery(key *engineio.Key[string]) func(*engineio.Session, *fasthttp.RequestCtx) error {
	return func(s *engineio.Session, ctx *fasthttp.RequestCtx) error {
		key.Set(s, string(ctx.QueryArgs().Peek("room")))
		return nil
	}
}

func TestTypedEvents(t *testing.T) {
	type upload struct {
		Name string
		Data []byte
		More any
	}
	type nested struct{ In []map[string]upload }
	s := serve(t, Config{}, func(sio *Server) {
		n := sio.Of("/")
		On(n, "text", func(s *Socket, text string) { _ = s.Emit("got", text) })
		On(n, "nothing", func(s *Socket, _ struct{}) { _ = s.Emit("got", nil) })
		On(n, "upload", func(s *Socket, u nested) {
			up := u.In[0]["x"]
			_ = s.Emit("got", up.Name, up.Data, up.More)
		})
		Handle(n, "add", func(_ *Socket, v []int) (int, error) {
			switch len(v) {
			case 0:
				return 0, &Error{"nothing to add"}
			case 1:
				return 0, errors.New("secret")
			}
			return v[0] + v[1], nil
		})
		Handle(n, "bytes", func(_ *Socket, b []byte) ([]byte, error) { return append(b, '!'), nil })
		Handle(n, "bad", func(*Socket, any) (any, error) { return func() {}, nil })
	})
	for _, way := range enginetest.Ways {
		t.Run(string(way), func(t *testing.T) {
			c := dialBy(t, s, way)
			c.join("/")
			c.send(`2["text","€ \u00e9 \ud83d\ude00"]`, `2["text"]`, `2["nothing"]`, `2["text",1]`, `21["text",1]`)
			c.want(`2["got","€ é 😀"]`, `2["got",""]`, `2["got",null]`, `31[{"error":"invalid argument"}]`)
			c.send(`52-["upload",{"in":[{"x":{"name":"n","data":{"_placeholder":true,"num":1},"more":{"_placeholder":true,"num":0}}}]}]`)
			c.sendBinary(1)
			c.sendBinary(2, 3)
			c.want(`51-["got","n",{"_placeholder":true,"num":0},"AQ=="]`, "b\x02\x03")
			c.send(`22["add",[3,4]]`, `23["add",[]]`, `24["add",[1]]`, `2["add",[1,2]]`, `25["add","x"]`, `26["bad"]`)
			c.want(`32[7]`, `33[{"error":"nothing to add"}]`, `34[{"error":"internal error"}]`, `35[{"error":"invalid argument"}]`, `36[{"error":"internal error"}]`)
			c.send(`51-7["bytes",{"_placeholder":true,"num":0}]`)
			c.sendBinary('a')
			c.want(`61-7[{"_placeholder":true,"num":0}]`, "ba!")
			c.send(`2`, `2["unknown"]`, `27["unknown"]`, `3[]`, `399[]`, `2["text","still there"]`)
			c.want(`2["got","still there"]`)
		})
	}
}

func TestArgs(t *testing.T) {
	got := make(chan []any, 1)
	s := serve(t, Config{}, func(sio *Server) {
		n := sio.Of("/")
		n.OnAny(func(_ *Socket, event string, args *Args) {
			if event != "args" && event != "1" {
				t.Errorf("OnAny is told of %q", event)
			}
		})
		n.On("1", func(s *Socket, _ *Args) { _ = s.Emit("one") })
		n.On("args", func(s *Socket, args *Args) {
			var text, kept string
			var object map[string]any
			var list []any
			var bytes []byte
			kept = "kept"
			err := args.Scan(&text, nil, &object, &list, &bytes, &kept)
			var number string
			wrong := args.Scan(&number, &number)
			got <- []any{args.Len(), args.WantsAck(), err, wrong != nil, text, object, list, bytes, kept, args.Values()[1]}
			_ = args.Ack(1)
			_ = args.Ack(2)
		})
	})
	c := dial(t, s)
	c.join("/")
	c.send(`2[1]`)
	c.want(`2["one"]`)
	c.send(`53-12["args","a\nb",1.5,{"k":{"_placeholder":true,"num":0}},[{"_placeholder":true,"num":1}],{"_placeholder":true,"num":2}]`)
	c.sendBinary(1)
	c.sendBinary(2)
	c.sendBinary(3)
	c.want(`312[1]`)
	want := []any{5, true, nil, true, "a\nb", map[string]any{"k": []byte{1}}, []any{[]byte{2}}, []byte{3}, "kept", 1.5}
	if v := soon(t, got); !reflect.DeepEqual(v, want) {
		t.Errorf("got %v", v)
	}
}

func TestEmitFails(t *testing.T) {
	failed := make(chan []error, 1)
	s := serve(t, Config{}, func(sio *Server) {
		sio.Of("/").On("go", func(s *Socket, args *Args) {
			failed <- []error{s.Emit("disconnect"), s.Emit("x", func() {}), s.Namespace().Emit("connect"), args.Ack(), s.To("r").Emit("x", make(chan int))}
		})
	})
	c := dial(t, s)
	c.join("/")
	c.send(`2["go"]`)
	errs := soon(t, failed)
	if !errors.Is(errs[0], ErrReserved) || errs[1] == nil || !errors.Is(errs[2], ErrReserved) || !errors.Is(errs[3], ErrNoAck) || errs[4] == nil {
		t.Error(errs)
	}
}

// Events of a socket are handled in order, one at a time, also when they come faster.
func TestOrder(t *testing.T) {
	s := serve(t, Config{MaxPending: 4}, func(sio *Server) {
		On(sio.Of("/"), "n", func(s *Socket, n int) { _ = s.Emit("n", n) })
	})
	for _, way := range enginetest.Ways {
		t.Run(string(way), func(t *testing.T) {
			c := dialBy(t, s, way)
			c.join("/")
			for i := range 200 {
				c.send(`2["n",` + itoa(i) + `]`)
			}
			for i := range 200 {
				c.want(`2["n",` + itoa(i) + `]`)
			}
		})
	}
}
