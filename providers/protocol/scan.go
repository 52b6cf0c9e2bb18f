package protocol

import (
	"encoding/binary"
	"errors"
	"fmt"
)

var errCut = errors.New("msgpack ends too early")

// scan checks that msgpack is exactly one value whose lengths are covered by
// the bytes that follow, without extension types, not too deep and not too
// many: the decoder proper allocates whatever a length says.
func scan(b []byte) error {
	s := scanner{rest: b}
	if err := s.value(0); err != nil {
		return err
	}
	if len(s.rest) > 0 {
		return fmt.Errorf("%d bytes after the value", len(s.rest))
	}
	return nil
}

type scanner struct {
	rest   []byte
	values int
}

func (s *scanner) value(depth int) error {
	s.values++
	switch {
	case depth > maxDepth:
		return fmt.Errorf("nested more than %d deep", maxDepth)
	case s.values > maxValues:
		return fmt.Errorf("more than %d values", maxValues)
	case len(s.rest) == 0:
		return errCut
	}
	code := s.rest[0]
	s.rest = s.rest[1:]
	switch {
	case code <= 0x7f || code >= 0xe0: // small integers
		return nil
	case code <= 0x8f:
		return s.several(depth, 2*uint64(code&0x0f))
	case code <= 0x9f:
		return s.several(depth, uint64(code&0x0f))
	case code <= 0xbf: // short strings
		return s.skip(uint64(code & 0x1f))
	}
	switch code {
	case 0xc0, 0xc2, 0xc3: // nil, false, true
		return nil
	case 0xc4, 0xc5, 0xc6: // bytes
		return s.sized(1<<(code-0xc4), s.skip)
	case 0xd9, 0xda, 0xdb: // strings
		return s.sized(1<<(code-0xd9), s.skip)
	case 0xca: // float32
		return s.skip(4)
	case 0xcb: // float64
		return s.skip(8)
	case 0xcc, 0xcd, 0xce, 0xcf: // unsigned integers
		return s.skip(1 << (code - 0xcc))
	case 0xd0, 0xd1, 0xd2, 0xd3: // integers
		return s.skip(1 << (code - 0xd0))
	case 0xdc, 0xdd: // arrays
		return s.sized(2<<(code-0xdc), func(n uint64) error { return s.several(depth, n) })
	case 0xde, 0xdf: // maps
		return s.sized(2<<(code-0xde), func(n uint64) error { return s.several(depth, 2*n) })
	}
	return fmt.Errorf("msgpack code %#x has no place here", code)
}

// several scans n values; each takes a byte at least.
func (s *scanner) several(depth int, n uint64) error {
	if n > uint64(len(s.rest)) {
		return errCut
	}
	for range n {
		if err := s.value(depth + 1); err != nil {
			return err
		}
	}
	return nil
}

// sized reads a big-endian length of some bytes and goes on with it.
func (s *scanner) sized(bytes int, then func(uint64) error) error {
	if len(s.rest) < bytes {
		return errCut
	}
	var length [8]byte
	copy(length[8-bytes:], s.rest)
	s.rest = s.rest[bytes:]
	return then(binary.BigEndian.Uint64(length[:]))
}

func (s *scanner) skip(n uint64) error {
	if n > uint64(len(s.rest)) {
		return errCut
	}
	s.rest = s.rest[n:]
	return nil
}
