package journal

import "io"

// FileSystem is what a journal needs of the place that it is kept in.
type FileSystem interface {
	// Create makes a file that must not exist, mode 0600, and locks it.
	Create(path string) (File, error)
	// Open opens a file to read and write, and locks it; a *BusyError where
	// another process holds the lock.
	Open(path string) (File, error)
	// SyncFolder makes the entries of the folder that path lies in durable.
	SyncFolder(path string) error
}

// File is a locked file. Closing it frees the lock.
type File interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error // data and size are durable when it returns
	Close() error
}
