package abuse

import (
	"fmt"
	"strings"
	"testing"
)

const (
	unknownTransport   = `{"code":0,"message":"Transport unknown"}`
	badVersion         = `{"code":5,"message":"Unsupported protocol version"}`
	opened4, opened3   = "0{", ":0{" // what the answer to a handshake has in it
	tooLarge, ambigous = "\x00431", "\x00"
)

// queries are what stands behind the question mark, and what is in the answer. Where a key stands twice the
// last counts.
var queries = []struct{ query, body string }{
	{"", unknownTransport}, {"?", unknownTransport}, {"&&&&", unknownTransport}, {"====", unknownTransport},
	{"=polling", unknownTransport},
	{"EIO=4", unknownTransport}, {"transport", unknownTransport}, {"transport=", unknownTransport},
	{"transport=polling", badVersion},
	{"transport=polling&EIO", badVersion}, {"transport=polling&EIO=", badVersion},
	{"transport=polling&EIO=44", badVersion},
	{"transport=polling&EIO=04", badVersion}, {"transport=polling&EIO=4.0", badVersion},
	{"transport=polling&EIO=-4", badVersion},
	{"transport=polling&EIO=%34", opened4}, {"transport=polling&EIO=%EF%BC%94", badVersion},
	{"transport=polling&EIO=4%00", badVersion},
	{"transport=polling&EIO=2", badVersion}, {"transport=polling&EIO=5", badVersion},
	{"transport=polling&EIO=99999999999999999999", badVersion},
	{"EIO=3&EIO=4&transport=polling", opened4}, {"EIO=4&EIO=3&transport=polling", opened3},
	{"EIO=4&EIO=5&transport=polling", badVersion},
	{"EIO=4&EIO&transport=polling", badVersion}, {"EIO=5&transport=polling&EIO=4", opened4},
	{"EIO=4&transport=polling&transport=websocket", badRequest}, {"EIO=4&transport=websocket&transport=polling", opened4},
	{"EIO=4&transport=polling&transport=x", unknownTransport}, {"EIO=4&transport=polling&sid=x&sid=", opened4},
	{"EIO=4&transport=polling&sid=&sid=x", unknownSession}, {"eio=4&transport=polling", badVersion},
	{"EIO=4&Transport=polling", unknownTransport},
	{"EIO[]=4&transport[]=polling", unknownTransport}, {"EIO=4;transport=polling", unknownTransport},
	{"transport=polling;EIO=4", unknownTransport},
	{"EIO=4&transport=polling;sid=x", unknownTransport}, {"EIO=4&transport=polling&a;b;c", opened4},
	{"EIO=4&transport=polling&%", opened4},
	{"EIO=4&transport=polling&%zz=%2&%g", opened4}, {"EIO=4&transport=poll%69ng", opened4},
	{"EIO=4&transport=poll%zzing", unknownTransport},
	{"EIO=4&transport=polling%", unknownTransport}, {"EIO=4&transport=polling&sid=%", unknownSession},
	{"EIO=4&transport=polling&sid=%zz", unknownSession},
	{"EIO=4&transport=polling%00", unknownTransport}, {"EIO=4&transport=polling+", unknownTransport},
	{"EIO=4&transport=polling&sid=+", unknownSession},
	{"EIO=4&transport=polling&=", opened4}, {"EIO=4&transport=polling&=x&=y", opened4},
	{"EIO=4&transport=polling&x=\xff\xfe\x80", opened4},
	{"EIO=4&transport=polling&%ff%fe=%80", opened4}, {"EIO=4&transport=p\xc3\xb6lling", unknownTransport},
	{"E%49O=4&transport=polling", opened4},
	{"EIO=4&transport=polling?sid=x", unknownTransport}, {"EIO=4&transport=polling&?sid=x", opened4},
	{"EIO=4&transport=polling#sid=x", opened4},
	{"EIO=4&transport=polling&sid=x#", unknownSession}, {"EIO=4&transport=polling&b64=1&b64=&b64", opened4},
	{"EIO=4&transport=polling&t=" + long, opened4},
	{"EIO=4&transport=webtransport", unknownTransport}, {"EIO=4&transport=websocket", badRequest},
	{"EIO=4&transport=__proto__", unknownTransport},
	{"EIO=4&transport=polling&" + strings.Repeat("a=b&", 3500), opened4},
	{strings.Repeat("&", 15_000) + "EIO=4&transport=polling", opened4},
	{strings.Repeat("EIO=3&", 2000) + "EIO=4&transport=polling", opened4}, {"EIO=4&transport=polling&t=" + strings.Repeat("x", 1<<10), opened4},
	{"EIO=4&transport=polling&t=" + strings.Repeat("x", 15<<10), opened4},
	{"EIO=4&transport=polling&sid=" + strings.Repeat("x", 15<<10), unknownSession},
	{"EIO=4&transport=polling&t=" + strings.Repeat("%41", 5<<10), opened4},
	{"EIO=4&transport=polling&t=" + strings.Repeat("x", readBufferSize), tooLarge},
	{"EIO=4&transport=polling&" + strings.Repeat("a=b&", 10_000), tooLarge},
	{"EIO=4&transport=polling&t=" + strings.Repeat("x", 1<<20), tooLarge},
	{"EIO=4&transport=polling&x=\x00", ambigous}, {"EIO=4&transport=polling&x=\t", ambigous},
	{"EIO=4&transport=polling&x=a b", ambigous},
	{"EIO=4&transport=polling&x=\x7f", ambigous}, {"EIO=4&transport=polling&x=\r", ambigous},
}

// Every query has the one answer that it should have. Above ReadBufferSize fasthttp answers 431, and a control
// character or a space in it is no request line.
func TestQueries(t *testing.T) {
	attack(t, spec{}, 1, 10, func(t *testing.T, x *target, n int) {
		x.struck = n * len(queries)
		err := crowd(x.struck, 4, func(i int) error {
			q := queries[i%len(queries)]
			all, err := x.told("GET /engine.io/?" + q.query + " HTTP/1.1\r\nHost: victim.example\r\nConnection: close\r\n\r\n")
			switch {
			case err != nil:
			case q.body == tooLarge && (statuses(all) == "431" || len(all) == 0): // the rest of the line may reset the connection
			case q.body == ambigous && statuses(all) == "400":
			case len(all) == 1 && (all[0].body == q.body || len(q.body) <= 3 && strings.Contains(all[0].body, q.body) && all[0].status == 200):
			default:
				err = fmt.Errorf("answered %.300q, want %q", fmt.Sprint(all), q.body)
			}
			if err != nil {
				return fmt.Errorf("?%.200q: %w", q.query, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		x.tell(t, commandClose)
	})
}
