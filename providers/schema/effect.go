package schema

import (
	"slices"
	"strings"
)

// Covers tells whether a resource lies under e's: the same scheme and host, and
// e's path a prefix of its path, segment by segment. A resource covers itself.
// A query or fragment counts as one more segment. Trailing and doubled slashes
// do not count, nor does the case of scheme and host.
func (e Effect) Covers(resource string) bool {
	above, below := e.Path(), Effect{Resource: resource}.Path()
	return len(above) <= len(below) && slices.Equal(above, below[:len(above)])
}

// Conflicts tells whether two effects must not happen at the same time: one of
// the resources covers the other, and not both are only read.
func (e Effect) Conflicts(other Effect) bool {
	if e.Mode == Read && other.Mode == Read {
		return false
	}
	return e.Covers(other.Resource) || other.Covers(e.Resource)
}

// Stronger tells whether mode m touches a resource harder than other does.
func (m Mode) Stronger(other Mode) bool {
	order := []Mode{Read, Write, Delete}
	return slices.Index(order, m) > slices.Index(order, other)
}

// Path splits the resource into scheme, host and the parts of its path. What is
// not a URL is split at its slashes. A resource covers those whose paths begin
// with its own.
func (e Effect) Path() []string {
	path, query := e.Resource, ""
	if i := strings.IndexAny(path, "?#"); i >= 0 {
		path, query = path[:i], path[i:]
	}
	var out []string
	if scheme, rest, ok := strings.Cut(path, "://"); ok {
		host, under, _ := strings.Cut(rest, "/")
		out, path = append(out, strings.ToLower(scheme)+":", strings.ToLower(host)), under
	}
	root := len(out)
	for part := range strings.SplitSeq(path, "/") {
		switch part {
		case "", ".":
		case "..":
			out = out[:max(root, len(out)-1)]
		default:
			out = append(out, part)
		}
	}
	if query != "" {
		out = append(out, query)
	}
	return out
}
