package store

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// fileName turns a step's address into a file name that is safe and its own:
// every byte but lower-case letters, digits, dot, hyphen and underscore becomes
// %xx, also upper-case letters, since some file systems take A for a. A long
// name ends in a hash of the address instead.
func fileName(address string) string {
	var b strings.Builder
	for i := range len(address) {
		switch c := address[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	const longest = 200 // a suffix must fit into 255 as well
	if b.Len() <= longest {
		return b.String()
	}
	return fmt.Sprintf("%s~%x", b.String()[:longest-33], sha256.Sum256([]byte(address)))[:longest]
}
