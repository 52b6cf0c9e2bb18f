package journal_test

import (
	"bytes"
	"io"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/runbook-engine/runbook/engine/journal"
)

const sector = 512

// machine is a file system with a page cache and a disk. A power cut leaves
// what is on the disk and, of what is not yet, whatever the test chooses.
type machine struct {
	files  map[string]*file
	fail   int   // the operation, counted from 1, that fails; 0: none
	with   error // what it fails with
	done   int   // operations so far
	called []string
}

type file struct {
	m     *machine
	cache []byte       // what is read
	disk  []byte       // what survives a power cut
	dirty map[int]bool // sectors of cache that are not on the disk
}

func newMachine() *machine { return &machine{files: map[string]*file{}, with: syscall.ENOSPC} }

// op counts one operation and tells whether it fails.
func (m *machine) op(name string) error {
	m.done++
	m.called = append(m.called, name)
	if m.done == m.fail {
		return m.with
	}
	return nil
}

func (m *machine) Create(path string) (journal.File, error) {
	if m.files[path] != nil {
		return nil, fs.ErrExist
	}
	if err := m.op("create"); err != nil {
		return nil, err
	}
	m.files[path] = &file{m: m, dirty: map[int]bool{}}
	return m.files[path], nil
}

func (m *machine) Open(path string) (journal.File, error) {
	if m.files[path] == nil {
		return nil, fs.ErrNotExist
	}
	return m.files[path], m.op("open")
}

func (m *machine) SyncFolder(string) error { return m.op("sync folder") }

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	return bytes.NewReader(f.cache).ReadAt(p, off)
}

// WriteAt writes half where it is to fail.
func (f *file) WriteAt(p []byte, off int64) (int, error) {
	err := f.m.op("write")
	if err != nil {
		p = p[:len(p)/2]
	}
	if end := int(off) + len(p); end > len(f.cache) {
		f.cache = append(f.cache, make([]byte, end-len(f.cache))...)
	}
	copy(f.cache[off:], p)
	for s := int(off) / sector; s*sector < int(off)+len(p); s++ {
		f.dirty[s] = true
	}
	return len(p), err
}

func (f *file) Truncate(size int64) error {
	err := f.m.op("truncate")
	if err == nil {
		f.cache = f.cache[:size]
	}
	return err
}

// Sync behaves as Linux does: where it fails, the sectors count as clean all
// the same and no later sync writes them.
func (f *file) Sync() error {
	err := f.m.op("sync")
	if err == nil {
		f.disk = append(f.disk, make([]byte, max(0, len(f.cache)-len(f.disk)))...)[:len(f.cache)]
		for s := range f.dirty {
			if s*sector < len(f.cache) {
				copy(f.disk[s*sector:], f.cache[s*sector:min((s+1)*sector, len(f.cache))])
			}
		}
	}
	clear(f.dirty)
	return err
}

func (f *file) Close() error { return nil }

// holding is a machine on whose disk path has these bytes.
func holding(path string, content []byte) *machine {
	m := newMachine()
	m.files[path] = &file{m: m, cache: bytes.Clone(content), disk: bytes.Clone(content), dirty: map[int]bool{}}
	return m
}

// verified reads what m holds at path, on its disk.
func verified(t *testing.T, m *machine, path string) journal.Report {
	t.Helper()
	report, err := journal.VerifyFrom(path, io.NewSectionReader(bytes.NewReader(m.files[path].disk), 0, 1<<40))
	check(t, err)
	return report
}

// hasty is the real file system without the syncs, to make large journals.
type hasty struct{}

func (hasty) Create(path string) (journal.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	return hastyFile{f}, err
}

func (hasty) Open(path string) (journal.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	return hastyFile{f}, err
}

func (hasty) SyncFolder(string) error { return nil }

type hastyFile struct{ *os.File }

func (hastyFile) Sync() error { return nil }
