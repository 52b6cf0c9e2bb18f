//go:build !linux

package cli

import "io"

// hideTyping cannot keep this terminal from showing what is typed on it.
func hideTyping(io.Reader) (show func()) { return func() {} }
