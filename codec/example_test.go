package codec_test

import (
	"errors"
	"fmt"
	"io"

	"github.com/fasteio/engineio/codec"
)

func ExampleRevision_AppendMessage() {
	p := codec.Packet{Type: codec.Message, Data: []byte("hello")}
	fmt.Printf("%s\n", codec.V4.AppendMessage(nil, p))

	p = codec.Packet{Type: codec.Message, Binary: true, Data: []byte{1, 2, 3}}
	fmt.Printf("% x\n", codec.V4.AppendMessage(nil, p))
	fmt.Printf("% x\n", codec.V3.AppendMessage(nil, p))
	// Output:
	// 4hello
	// 01 02 03
	// 04 01 02 03
}

func ExampleRevision_AppendText() {
	p := codec.Packet{Type: codec.Message, Binary: true, Data: []byte{1, 2, 3, 4}}
	fmt.Printf("%s\n", codec.V4.AppendText(nil, p))
	fmt.Printf("%s\n", codec.V3.AppendText(nil, p))
	// Output:
	// bAQIDBA==
	// b4AQIDBA==
}

func ExampleRevision_DecodeMessage() {
	p, err := codec.V4.DecodeMessage(false, []byte("2probe"))
	fmt.Printf("%v %q %v\n", p.Type, p.Data, err)

	_, err = codec.V4.DecodeMessage(false, []byte("hello"))
	fmt.Println(err, errors.Is(err, codec.ErrParse))
	// Output:
	// ping "probe" <nil>
	// codec: unknown packet type true
}

func ExampleFormat_Append() {
	packets := []codec.Packet{
		{Type: codec.Message, Data: []byte("€")},
		{Type: codec.Message, Binary: true, Data: []byte{1, 2, 3, 4}},
	}
	for _, f := range []codec.Format{codec.Text4, codec.Text3, codec.Binary3} {
		var payload []byte
		for _, p := range packets {
			payload = f.Append(payload, p)
		}
		fmt.Printf("%q\n", payload)
	}
	// Output:
	// "4€\x1ebAQIDBA=="
	// "2:4€10:b4AQIDBA=="
	// "\x00\x04\xff4€\x01\x05\xff\x04\x01\x02\x03\x04"
}

func ExampleDecoder_Next() {
	d := codec.Text4.Decode([]byte("4hello\x1e2\x1ebAQIDBA=="))
	for {
		p, err := d.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			fmt.Println("malformed payload:", err)
			break
		}
		fmt.Printf("%v %v %q\n", p.Type, p.Binary, p.Data)
	}
	// Output:
	// message false "hello"
	// ping false ""
	// message true "\x01\x02\x03\x04"
}

func ExampleAppendJSONP() {
	fmt.Printf("%s\n", codec.AppendJSONP(nil, []byte("7"), []byte(`4say "hi"</script>`)))
	// Output:
	// ___eio[7]("4say \"hi\"\u003c/script>");
}

func ExampleDecodeJSONP() {
	payload, err := codec.DecodeJSONP([]byte(`d=4two%5Cnlines`))
	fmt.Printf("%q %v\n", payload, err)
	// Output:
	// "4two\nlines" <nil>
}
