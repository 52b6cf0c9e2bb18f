package sdk

import (
	"context"
	"path/filepath"
)

// Path is a path from the configuration or an argument, made absolute: a
// relative one starts from the runbook's folder. That is the working directory
// of a provider's own process, but not of a provider that is asked within the
// engine's, as bundled ones are to describe. Hand it the context of the call.
func Path(ctx context.Context, path string) string {
	if folder, ok := ctx.Value(folderKey{}).(string); ok && !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	if absolute, err := filepath.Abs(path); err == nil {
		return absolute
	}
	return path // the working directory has been removed
}

type folderKey struct{}

// folder hands the runbook's folder to Path.
func (s *Server) folder(ctx context.Context) context.Context {
	if s.Dir == "" {
		return ctx
	}
	return context.WithValue(ctx, folderKey{}, s.Dir)
}
