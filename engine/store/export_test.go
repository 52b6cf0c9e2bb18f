package store

import "time"

// IDAt is an ID of a run that begins at t.
func IDAt(t time.Time, chance uint16) string { return idAt(t, chance) }

// FileName is the file name for a step.
func FileName(address string) string { return fileName(address) }
