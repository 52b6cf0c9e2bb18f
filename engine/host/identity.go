package host

import (
	"context"
	"fmt"
)

// Identity says which provider it is that acts under a name: its version and, of
// a third party's, the hash that the lock file pins.
func (h *Host) Identity(_ context.Context, name string) (string, error) {
	if s, ok := h.opts.Catalog.Schema(name); ok {
		return fmt.Sprintf("bundled %s", s.Version), nil
	}
	entry, err := h.locked(name)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s sha256:%s", entry.version, entry.sum()), nil
}
