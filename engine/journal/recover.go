package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
)

// cut moves an unsealed group from the journal's end into the first free file
// beside it (journal.jsonl: journal.cut-1) and returns that file's path. The
// copy is durable before anything is taken away.
func cut(fsys FileSystem, path string, file File, tail span) (string, error) {
	aside, kept, err := createAside(fsys, path)
	if err != nil {
		return "", err
	}
	err = errors.Join(copySpan(aside, 0, file, tail), aside.Close())
	if err == nil {
		err = fsys.SyncFolder(kept)
	}
	if err == nil {
		err = file.Truncate(tail.offset)
	}
	if err == nil {
		err = file.Sync()
	}
	return kept, err
}

func createAside(fsys FileSystem, path string) (File, string, error) {
	stem := strings.TrimSuffix(path, filepath.Ext(path))
	for n := 1; ; n++ {
		kept := fmt.Sprintf("%s.cut-%d", stem, n)
		aside, err := fsys.Create(kept)
		if !errors.Is(err, fs.ErrExist) {
			return aside, kept, err
		}
	}
}

// settle makes durable what Open is about to vouch for. The last group may be
// no more than a page in memory: its writer died before the sync, or the sync
// failed, after which the kernel calls the page clean and never writes it. So
// the same bytes are written once more.
func settle(fsys FileSystem, path string, file File, last span) error {
	if err := copySpan(file, last.offset, file, last); err != nil {
		return err
	}
	return fsys.SyncFolder(path)
}

// copySpan writes part of from to a place in to, and syncs it.
func copySpan(to File, at int64, from File, part span) error {
	w := io.NewOffsetWriter(to, at)
	if _, err := io.Copy(w, io.NewSectionReader(from, part.offset, part.size)); err != nil {
		return err
	}
	return to.Sync()
}
