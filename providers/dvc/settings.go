package dvc

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/providers/internal/program"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// settings is what DVC's configuration files say, as far as it matters here.
type settings struct {
	standard string // name of the remote that is used where none is named
	noSCM    bool
	hardlink bool   // the lock is a hard link
	cache    string // folder of the cache
	remotes  map[string]map[string]string
	local    map[string]bool // remotes of which config.local says something
}

// readSettings reads the repository's configuration and lays it over the
// provider's credentials.
func readSettings(dir string, given map[string]credential) (settings, error) {
	s := settings{cache: filepath.Join(dir, ".dvc", "cache"), remotes: map[string]map[string]string{}, local: map[string]bool{}}
	for _, name := range []string{"config", "config.local"} {
		path := filepath.Join(dir, ".dvc", name)
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return settings{}, sdk.Fail("invalid_config", "read DVC's configuration: %v", err)
		}
		sections, err := parseConfig(string(text))
		if err != nil {
			f := sdk.Fail("invalid_config", "%s: %v", path, err)
			f.Remedy = "mend the file; dvc config --list reads it too"
			return settings{}, f
		}
		s.take(dir, name, sections)
	}
	for remote, key := range given {
		held, known := s.remotes[remote]
		if !known {
			continue
		}
		if held["access_key_id"] == "" && held["secret_access_key"] == "" {
			held["access_key_id"], held["secret_access_key"] = key.AccessKey, key.SecretKey
			if key.SessionToken != "" {
				held["session_token"] = key.SessionToken
			}
		}
	}
	return s, nil
}

// take lays the sections of one file over what is known.
func (s *settings) take(dir, name string, sections map[string]map[string]string) {
	for section, values := range sections {
		switch kind, remote, _ := strings.Cut(section, " "); {
		case section == "core":
			if v, ok := values["remote"]; ok {
				s.standard = v
			}
			if v, ok := values["no_scm"]; ok {
				s.noSCM = yes(v)
			}
			if v, ok := values["hardlink_lock"]; ok {
				s.hardlink = yes(v)
			}
		case section == "cache":
			if v := values["dir"]; v != "" {
				s.cache = within(filepath.Join(dir, ".dvc"), v)
			}
		case kind == "remote":
			remote = strings.Trim(remote, `"`)
			if s.remotes[remote] == nil {
				s.remotes[remote] = map[string]string{}
			}
			if v := values["url"]; v != "" && !strings.Contains(v, "://") {
				values["url"] = within(filepath.Join(dir, ".dvc"), v)
			}
			maps.Copy(s.remotes[remote], values)
			s.local[remote] = s.local[remote] || name == "config.local"
		}
	}
}

func within(folder, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(folder, path)
}

func yes(value string) bool {
	return slices.Contains([]string{"true", "yes", "on", "1"}, strings.ToLower(value))
}

// parseConfig reads DVC's INI files: sections such as 'remote "minio"', and lines
// of name and value. Names are in lower case.
func parseConfig(text string) (map[string]map[string]string, error) {
	sections := map[string]map[string]string{}
	var current map[string]string
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#' || line[0] == ';':
		case line[0] == '[':
			end := strings.LastIndexByte(line, ']')
			if end < 0 {
				return nil, fmt.Errorf("line %d begins a section and does not end its name", number)
			}
			name := unquote(strings.TrimSpace(line[1:end]))
			if sections[name] == nil {
				sections[name] = map[string]string{}
			}
			current = sections[name]
		default:
			name, value, ok := strings.Cut(line, "=")
			if !ok || current == nil {
				return nil, fmt.Errorf("line %d is neither a section nor name = value", number)
			}
			current[strings.ToLower(strings.TrimSpace(name))] = unquote(strings.TrimSpace(value))
		}
	}
	return sections, nil
}

// unquote takes a pair of quotes off, and from a bare value what comes after a
// hash sign.
func unquote(value string) string {
	if value != "" && (value[0] == '\'' || value[0] == '"') {
		if end := strings.LastIndexByte(value, value[0]); end > 0 {
			return value[1:end]
		}
	}
	if at := strings.Index(value, " #"); at >= 0 {
		value = strings.TrimSpace(value[:at])
	}
	return value
}

// remoteName is the named remote, or the standard one.
func (s settings) remoteName(name string) (string, error) {
	if name == "" {
		name = s.standard
	}
	if name == "" {
		f := sdk.Fail("remote_missing", "no remote is named, and the repository has no default one")
		f.Argument, f.Remedy = "remote", "name one"
		if len(s.remotes) > 0 {
			f.Remedy = "name one of " + strings.Join(slices.Sorted(maps.Keys(s.remotes)), ", ")
		}
		return "", f
	}
	if s.remotes[name] == nil {
		f := sdk.Fail("remote_missing", "the repository has no remote %s", name)
		f.Argument, f.Remedy = "remote", "dvc remote add makes one"
		if len(s.remotes) > 0 {
			f.Remedy = "it has " + strings.Join(slices.Sorted(maps.Keys(s.remotes)), ", ")
		}
		return "", f
	}
	return name, nil
}

// shownURL is a remote's URL without user name and password.
func shownURL(remote map[string]string) string { return program.Clean(remote["url"]) }
