package host

import (
	"context"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Schema is what a provider says of itself. It starts no process: a bundled
// provider answers from the catalog, a third party's from the lock file. The
// error is a *NotFoundError or *NotLockedError where there is none.
func (h *Host) Schema(_ context.Context, provider string) (*schema.Provider, error) {
	if s, ok := h.opts.Catalog.Schema(provider); ok {
		return s, nil
	}
	entry, err := h.locked(provider)
	if err != nil {
		return nil, err
	}
	return entry.schema, nil
}

// locked is the lock file's entry for a provider.
func (h *Host) locked(name string) (*locked, error) {
	file, err := h.lockFile()
	if err != nil {
		return nil, err
	}
	if entry := file[name]; entry != nil {
		return entry, nil
	}
	path, err := h.find(name)
	if err != nil {
		return nil, err
	}
	return nil, &NotLockedError{Provider: name, Path: path}
}
