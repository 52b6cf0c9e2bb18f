package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// sumSuffix names the file that holds an archive's SHA-256, as sha256sum writes
// it, and the key of the step that dumped it.
const sumSuffix = ".sha256"

// keyLine begins the comment, which sha256sum leaves alone, that holds the key.
const keyLine = "# runbook key: "

// archive is one dump on a disk.
type archive struct {
	Path     string    `runbook:"path" doc:"The file."`
	Bytes    int64     `runbook:"bytes" doc:"Its size."`
	At       time.Time `runbook:"at" doc:"When it was written, by the file's time."`
	Verified bool      `runbook:"verified" doc:"Whether its SHA-256 is the one beside it and pg_restore can list it."`
	Problem  string    `runbook:"problem" doc:"Why it is not verified; empty where it is."`
	SHA256   string    `runbook:"sha256" doc:"Its SHA-256, in hex; empty where it was not computed."`
	Database string    `runbook:"database" doc:"The database that was dumped; empty where pg_restore cannot list it."`
	Tables   int64     `runbook:"tables" doc:"Tables whose rows it holds."`
	Entries  int64     `runbook:"entries" doc:"All that pg_restore lists of it."`

	listed []string // the entries
}

// sum is what is on record of an archive.
type sum struct{ hash, key string }

func (s sum) write(path, archive string) error {
	text := s.hash + "  " + filepath.Base(archive) + "\n"
	if s.key != "" {
		text = keyLine + strings.ReplaceAll(s.key, "\n", " ") + "\n" + text
	}
	return os.WriteFile(path, []byte(text), 0o600)
}

// readSum is empty where there is none.
func readSum(archive string) sum {
	text, err := os.ReadFile(archive + sumSuffix)
	if err != nil {
		return sum{}
	}
	var s sum
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if key, ok := strings.CutPrefix(line, keyLine); ok {
			s.key = key
		} else if hash, _, ok := strings.Cut(line, " "); ok && s.hash == "" {
			s.hash = hash
		}
	}
	return s
}

// hashFile is a file's SHA-256; it stops when ctx ends.
func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = f.Close() }()
	hash := sha256.New()
	for {
		switch _, err := io.CopyN(hash, f, 8<<20); {
		case errors.Is(err, io.EOF):
			return hex.EncodeToString(hash.Sum(nil)), nil
		case err != nil:
			return "", err
		case ctx.Err() != nil:
			return "", ctx.Err()
		}
	}
}

// inspect verifies an archive: what is wrong with it is its Problem. An error
// means that it could not be looked at.
func (p *provider) inspect(ctx context.Context, call *sdk.Call, restore tool, path string, hash bool) (archive, error) {
	a := archive{Path: path}
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f := sdk.InvalidArgument("path", "there is no file %s", path)
		f.Code = "archive_missing"
		f.Remedy = "see postgres.archives for those that there are"
		return a, f
	case err != nil:
		return a, err
	case !info.Mode().IsRegular():
		a.Problem = "it is no regular file"
		return a, nil
	}
	a.Bytes, a.At = info.Size(), info.ModTime()
	if hash {
		if a.SHA256, err = hashFile(ctx, path); err != nil {
			return a, err
		}
		switch recorded := readSum(path); {
		case recorded.hash == "":
			a.Problem = "there is no " + filepath.Base(path) + sumSuffix + " beside it"
		case recorded.hash != a.SHA256:
			a.Problem = "its SHA-256 is not the one that was written beside it"
		}
	}
	text, err := restore.run(ctx, call, []string{"LC_ALL=C", "TZ=UTC"}, "-l", path)
	if err != nil {
		if ctx.Err() != nil {
			return a, ctx.Err()
		}
		if a.Problem == "" {
			a.Problem = fmt.Sprintf("pg_restore cannot list it: %v", err)
		}
		return a, nil
	}
	a.read(text)
	if a.Entries == 0 && a.Problem == "" {
		a.Problem = "it holds nothing"
	}
	a.Verified = a.Problem == ""
	return a, nil
}

// read takes in what pg_restore -l prints.
func (a *archive) read(list string) {
	for line := range strings.Lines(list) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, ";     dbname: "); ok {
			a.Database = name
		}
		if line == "" || line[0] == ';' {
			continue
		}
		_, what, _ := strings.Cut(line, "; ")
		if words := strings.SplitN(what, " ", 3); len(words) == 3 {
			what = words[2]
		}
		a.Entries++
		a.listed = append(a.listed, what)
		if strings.HasPrefix(what, "TABLE DATA ") {
			a.Tables++
		}
	}
}

// folder lists the archives of a folder by name pattern, newest first, each
// verified.
func (p *provider) folder(ctx context.Context, call *sdk.Call, dir, pattern string, hash bool) ([]archive, error) {
	restore, f := p.tool("pg_restore")
	if f != nil {
		return nil, f
	}
	if _, err := filepath.Match(pattern, ""); err != nil || strings.ContainsRune(pattern, filepath.Separator) {
		return nil, sdk.InvalidArgument("pattern", "%q is not a pattern of file names, such as *.dump", pattern)
	}
	entries, err := os.ReadDir(p.path(dir))
	if err != nil {
		return nil, folderFailure("dir", dir, err)
	}
	var found []archive
	for _, e := range entries {
		matches, _ := filepath.Match(pattern, e.Name()) // the pattern was checked
		if !matches || strings.HasPrefix(e.Name(), ".") || strings.HasSuffix(e.Name(), sumSuffix) || !e.Type().IsRegular() {
			continue
		}
		a, err := p.inspect(ctx, call, restore, filepath.Join(p.path(dir), e.Name()), hash)
		if err != nil {
			return nil, err
		}
		found = append(found, a)
	}
	slices.SortStableFunc(found, func(a, b archive) int { return b.At.Compare(a.At) })
	return found, nil
}

func folderFailure(argument, dir string, err error) *schema.Failure {
	f := sdk.InvalidArgument(argument, "the folder %s cannot be read: %v", dir, err)
	f.Code = "folder_unreadable"
	if errors.Is(err, fs.ErrNotExist) {
		f.Code, f.Message = "folder_missing", fmt.Sprintf("there is no folder %s", dir)
	}
	f.Remedy = "make it, or correct " + argument
	return f
}

// fileResource is the URL of a file, as effects name it.
func fileResource(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }
