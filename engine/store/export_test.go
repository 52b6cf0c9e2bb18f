package store

import "time"

// IDAt is the ID of a run that begins at t.
func IDAt(t time.Time) string { return idAt(t) }

// FileName is the file name for a step.
func FileName(address string) string { return fileName(address) }
