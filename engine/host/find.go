package host

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// prefix begins the name of a third party's executable.
const prefix = "runbook-provider-"

var providerName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// DefaultSearchPath is where third-party providers are looked for:
// .runbook/providers from dir upwards to the repository's root, then
// $RUNBOOK_PROVIDER_PATH, then $PATH.
func DefaultSearchPath(dir string) []string {
	var folders []string
	for _, d := range upwards(dir) {
		folders = append(folders, filepath.Join(d, ".runbook", "providers"))
	}
	folders = append(folders, filepath.SplitList(os.Getenv("RUNBOOK_PROVIDER_PATH"))...)
	return append(folders, filepath.SplitList(os.Getenv("PATH"))...)
}

// FindLockFile is the runbook.lock.hcl nearest to dir, up to the repository's
// root; empty where there is none.
func FindLockFile(dir string) string {
	for _, d := range upwards(dir) {
		path := filepath.Join(d, LockFileName)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	return ""
}

// upwards is dir and its parents up to the one that holds .git, or dir alone
// where none does.
func upwards(dir string) []string {
	start, err := filepath.Abs(dir)
	if err != nil {
		return []string{dir}
	}
	var all []string
	for d := start; ; d = filepath.Dir(d) {
		all = append(all, d)
		if _, err := os.Stat(filepath.Join(d, ".git")); err == nil {
			return all
		}
		if d == filepath.Dir(d) {
			return all[:1]
		}
	}
}

// find is the path of a third party's executable.
func (h *Host) find(name string) (string, error) {
	if providerName.MatchString(name) {
		for _, folder := range h.opts.SearchPath {
			if folder == "" {
				continue // an empty entry of PATH: never the working directory
			}
			path := filepath.Join(folder, prefix+name)
			info, err := os.Stat(path)
			if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
				return path, nil
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
				return "", err
			}
		}
	}
	return "", &NotFoundError{Provider: name}
}
