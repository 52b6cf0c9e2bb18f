package host

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
)

// executable is what a provider's process is made of.
type executable struct {
	path string
	argv []string
	file *os.File // handed to the child as descriptor 4; nil: none
	sum  string   // SHA-256 in hex; empty for this program itself
	free func() error
}

func (e *executable) close() error {
	if e.free == nil {
		return nil
	}
	return e.free()
}

// bundled is this very program serving one of its own providers.
func (h *Host) bundled(name string) (*executable, error) {
	path := h.opts.Executable
	if path == "" {
		var err error
		if path, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find this program: %w", err)
		}
	}
	return &executable{path: thisProgram(path), argv: []string{path, ServeCommand, name}}, nil
}

// ServeCommand is the hidden command by which this program serves a bundled
// provider: EXECUTABLE provider-serve NAME.
const ServeCommand = "provider-serve"

// maxExecutable bounds what is copied into memory to be executed.
const maxExecutable = 512 << 20

// verified opens a third party's executable and makes a private copy of it,
// hashed on the way, so that the bytes that are executed are those that were
// hashed. want is the hash it must have; empty: any.
func verified(path, want string) (*executable, error) {
	from, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = from.Close() }()
	if info, err := from.Stat(); err != nil || info.Size() > maxExecutable {
		return nil, errors.Join(err, &LargeError{Path: path})
	}
	hash := sha256.New()
	bounded := &io.LimitedReader{R: from, N: maxExecutable + 1} // it may be growing
	exe, err := privateCopy(io.TeeReader(bounded, hash))
	if err != nil {
		return nil, fmt.Errorf("copy %s: %w", path, err)
	}
	if bounded.N == 0 {
		return nil, errors.Join(&LargeError{Path: path}, exe.close())
	}
	exe.argv, exe.sum = []string{path}, hex.EncodeToString(hash.Sum(nil))
	if want != "" && exe.sum != want {
		return nil, errors.Join(&ChangedError{Path: path, Want: want, Got: exe.sum}, exe.close())
	}
	return exe, nil
}
