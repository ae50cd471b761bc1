package engineio_test

import (
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// Of two GETs at once one is told that the session closes and one is refused. Which came first only
// the server knows.
func TestOverlappingPolls(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		check := e.bystander(t)
		for _, revision := range enginetest.Revisions {
			word := "1"
			if revision == engineio.V3 {
				word = "1:1"
			}
			p := e.polling(t, enginetest.Setup{Revision: revision})
			second := e.http.HTTP()
			get := enginetest.Request("GET", p.URI(), "localhost", nil)
			if err := p.Get.Write(get); err != nil {
				t.Fatal(err)
			}
			if err := second.Write(get); err != nil {
				t.Fatal(err)
			}
			a, err := p.Get.Read("GET")
			if err != nil {
				t.Fatal(err)
			}
			b, err := second.Read("GET")
			if err != nil {
				t.Fatal(err)
			}
			if a.Status == 400 {
				a, b = b, a
			}
			if a.Status != 200 || string(a.Body) != word || b.Status != 400 || len(b.Body) != 0 {
				t.Errorf("revision %d: %d %q and %d %q", revision, a.Status, a.Body, b.Status, b.Body)
			}
			e.ended(t, engineio.ReasonTransportError)
			goneByPost(t, p)
		}
		check()
	})
}

func goneByPost(t *testing.T, p *enginetest.Polling) {
	t.Helper()
	r, err := p.Post.Do("POST", p.URI(), []byte("4hello"))
	if err != nil || r.Status != 400 || string(r.Body) != unknownSession {
		t.Errorf("the next POST: %+v, %v", r, err)
	}
}

// Bodies are read before we see a POST, so two of them overlap only while a callback runs.
func TestOverlappingPosts(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		entered, leave := make(chan struct{}), make(chan struct{})
		e := serve(t, on, engineio.Config{OnMessage: func(_ *engineio.Session, m engineio.Message) {
			if string(m.Data) == "slow" {
				close(entered)
				<-leave
			}
		}})
		p := e.polling(t, enginetest.Setup{})
		first := make(chan *enginetest.Response, 1)
		go func() {
			r, _ := e.http.HTTP().Do("POST", p.URI(), []byte("4slow\x1e4never"))
			first <- r
		}()
		<-entered
		r, err := p.Post.Do("POST", p.URI(), []byte("4hello"))
		if err != nil || r.Status != 400 || len(r.Body) != 0 {
			t.Errorf("second POST: %+v, %v", r, err)
		}
		if len(e.ends) > 0 {
			t.Error("OnDisconnect ran within OnMessage")
		}
		close(leave)
		e.ended(t, engineio.ReasonTransportError)
		<-first
	})
}

// With streamed bodies a second POST is seen while the first body arrives.
func TestOverlappingStreams(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{}, enginetest.Options{StreamRequestBody: true})
		check := e.bystander(t)
		p := e.polling(t, enginetest.Setup{})
		body := make([]byte, 100_000) // beyond what comes with the head
		for i := range body {
			body[i] = '4'
		}
		request := enginetest.Request("POST", p.URI(), "localhost", body)
		if err := p.Post.Write(request[:50_000]); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the second POST is refused", func() bool {
			r, err := e.http.HTTP().Do("POST", p.URI(), []byte("6"))
			if err != nil {
				t.Fatal(err)
			}
			return r.Status == 400
		})
		e.ended(t, engineio.ReasonTransportError)
		p.Post.Close()
		check()
	})
}
