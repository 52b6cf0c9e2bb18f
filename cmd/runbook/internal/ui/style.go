// Package ui turns plans, events and diagnostics into what people and tools
// read: text, Markdown, JSON, and a plain line per event. `apply` and `runs
// show` feed it the same events, so that the screen and the record cannot
// disagree. It decides nothing, starts nothing, and writes only to the writers
// it is given.
//
// Text in plans and events comes from runbooks and backends that nobody vouches
// for: it is cleaned of control sequences on its way into a page, by type (see
// styled), so that no renderer can forget it.
package ui

import (
	"os"
	"strings"

	"golang.org/x/term"
)

// Style says what an output can show. The zero value is the plainest: no
// colour, ASCII only, lines of any length.
type Style struct {
	Color   bool
	Unicode bool
	Width   int // columns to wrap at; 0: do not wrap
}

// minWidth is the narrowest terminal that text is wrapped for.
const minWidth = 40

// Detect reads the style of an output from the environment: NO_COLOR and TERM
// (colour), LC_ALL, LC_CTYPE and LANG (Unicode), and, where out is a terminal,
// its width. noColor is the user's --no-color.
func Detect(out any, environ func(string) (string, bool), noColor bool) Style {
	get := func(name string) string { value, _ := environ(name); return value }
	style := Style{Unicode: speaksUTF8(get)}
	fd, terminal := Terminal(out)
	if !terminal {
		return style
	}
	dumb := get("TERM") == "dumb" || get("TERM") == ""
	style.Color = !noColor && !dumb && get("NO_COLOR") == ""
	if width, _, err := term.GetSize(fd); err == nil && width > 0 {
		style.Width = max(width, minWidth)
	}
	return style
}

// Terminal says whether stream is a terminal, and its file descriptor.
func Terminal(stream any) (fd int, ok bool) {
	file, isFile := stream.(*os.File)
	if !isFile || file == nil {
		return 0, false
	}
	fd = int(file.Fd())
	return fd, term.IsTerminal(fd)
}

// speaksUTF8 follows POSIX: the first of the three that is set decides.
func speaksUTF8(get func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := get(name); value != "" {
			value = strings.ToLower(value)
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
