package codec

// ParseError is the type of all errors of this package. They are constants: compare
// with ==, or ask errors.Is(err, ErrParse) for any of them.
type ParseError string

const (
	// ErrParse is what errors.Is finds in each of the errors below. No function returns it.
	ErrParse ParseError = "parse error"
	// ErrEmpty reports a packet without a type: an empty body, an empty message, or two
	// separators with nothing between them.
	ErrEmpty ParseError = "empty packet"
	// ErrType reports a packet type that does not exist, or a binary packet that is not a message.
	ErrType ParseError = "unknown packet type"
	// ErrUTF8 reports text that is not valid UTF-8.
	ErrUTF8 ParseError = "invalid UTF-8 in text packet"
	// ErrBase64 reports a binary packet that is not standard, padded base64.
	ErrBase64 ParseError = "invalid base64 in binary packet"
	// ErrLength reports a length prefix of revision 3 that is missing, malformed, or does
	// not end where a packet and a character end.
	ErrLength ParseError = "invalid packet length"
	// ErrForm reports a JSONP form without a field d, or with more than one.
	ErrForm ParseError = "invalid JSONP form"
)

// Error returns the text of the error, prefixed with "codec: ".
func (e ParseError) Error() string { return "codec: " + string(e) }

// Is reports whether target is ErrParse, so that errors.Is matches every ParseError with it.
func (e ParseError) Is(target error) bool { return target == ErrParse }
