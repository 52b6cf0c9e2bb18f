package git

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// state is what `git status` sees.
type state struct {
	head, branch, upstream string // empty: none
	ahead, behind          *int
	entries                []entry
	operation              string // begun and not ended, such as merge
}

// entry is one path that is not as HEAD has it.
type entry struct {
	path, from string // from: where a renamed one was
	staged     byte   // status letter of the index against HEAD; 0: the same
	changed    byte   // of the work tree against the index
	untracked  bool
	conflict   bool
}

// look asks for the state, of some paths or of all.
func (r *repository) look(ctx context.Context, untracked bool, paths ...string) (state, error) {
	args := []string{"status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--ignore-submodules=none", "--untracked-files=no"}
	if untracked {
		args[len(args)-1] = "--untracked-files=all"
	}
	fields, err := r.fields(ctx, append(append(args, "--"), paths...)...)
	if err != nil {
		return state{}, err
	}
	s, err := parseState(fields)
	if err != nil {
		return state{}, err
	}
	s.operation = r.operation()
	return s, nil
}

var errStatus = errors.New("git status printed something that this provider does not know")

// parseState reads porcelain version 2, split at its zero bytes.
func parseState(fields []string) (state, error) {
	var s state
	for i := 0; i < len(fields); i++ {
		kind, rest, _ := strings.Cut(fields[i], " ")
		switch kind {
		case "#":
			s.header(rest)
		case "?":
			s.entries = append(s.entries, entry{path: rest, untracked: true})
		case "1", "2", "u":
			columns := map[string]int{"1": 8, "2": 9, "u": 10}[kind]
			words := strings.SplitN(rest, " ", columns)
			if len(words) != columns || len(words[0]) != 2 {
				return state{}, errStatus
			}
			e := entry{path: words[columns-1], conflict: kind == "u"}
			if kind == "2" {
				if i++; i == len(fields) {
					return state{}, errStatus
				}
				e.from = fields[i]
			}
			if !e.conflict {
				e.staged, e.changed = letter(words[0][0]), letter(words[0][1])
			}
			s.entries = append(s.entries, e)
		case "!":
		default:
			return state{}, errStatus
		}
	}
	return s, nil
}

func letter(b byte) byte {
	if b == '.' {
		return 0
	}
	return b
}

func (s *state) header(text string) {
	name, value, _ := strings.Cut(text, " ")
	switch name {
	case "branch.oid":
		if value != "(initial)" {
			s.head = value
		}
	case "branch.head":
		if value != "(detached)" {
			s.branch = value
		}
	case "branch.upstream":
		s.upstream = value
	case "branch.ab":
		ahead, behind, _ := strings.Cut(value, " ")
		s.ahead, s.behind = number(ahead), number(behind)
	}
}

func number(text string) *int {
	n, err := strconv.Atoi(strings.TrimLeft(text, "+-"))
	if err != nil {
		return nil
	}
	return &n
}

// operation is what was begun in this work tree and not ended.
func (r *repository) operation() string {
	for _, known := range []struct{ file, name string }{
		{"rebase-merge", "rebase"}, {"rebase-apply", "rebase"}, {"MERGE_HEAD", "merge"},
		{"CHERRY_PICK_HEAD", "cherry-pick"}, {"REVERT_HEAD", "revert"}, {"BISECT_LOG", "bisect"},
	} {
		if _, err := os.Stat(filepath.Join(r.gitDir, known.file)); err == nil {
			return known.name
		}
	}
	return ""
}

// steady refuses a work tree in which something is half done.
func (s state) steady(dir string) *schema.Failure {
	var conflicts []string
	for _, e := range s.entries {
		if e.conflict {
			conflicts = append(conflicts, e.path)
		}
	}
	if s.operation == "" && len(conflicts) == 0 {
		return nil
	}
	f := sdk.Fail("conflict", "in %s a %s is under way", dir, s.operation)
	if s.operation == "" {
		f.Message = "in " + dir + " there are conflicts: " + some(conflicts)
	}
	f.Remedy = "end it or abort it first: git status says how"
	return f
}

// some names the first of many.
func some(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:shown], ", ") + " and " + strconv.Itoa(len(names)-shown) + " more"
}
