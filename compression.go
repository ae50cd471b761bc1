package engineio

import "github.com/fasteio/engineio/internal/compress"

// CompressionLevels are the effort per coding, from 1 (fast) up. Zero is the default of each, the
// best ratio for its time on Engine.IO payloads.
type CompressionLevels struct {
	Gzip    int // 1 to 9. Default: 5
	Deflate int // 1 to 9. Default: 5
	Brotli  int // 1 to 6. Default: 2
	Zstd    int // 1 to 3. Default: 1
}

// newCompressor makes the compressor of long-polling responses, nil when compression is off.
func newCompressor(c Config) (*compress.Compressor, error) {
	if c.DisableCompression {
		return nil, nil
	}
	l := c.CompressionLevels
	return compress.New(compress.Options{
		GzipLevel: l.Gzip, DeflateLevel: l.Deflate, BrotliLevel: l.Brotli, ZstdLevel: l.Zstd,
	})
}
