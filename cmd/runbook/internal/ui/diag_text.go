package ui

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/diag"
)

// Sources is the text of the files that diagnostics point into, by the file
// name their ranges use. A file that is not in it is shown without its lines.
type Sources map[string][]byte

// WriteDiagnostics writes diagnostics for people, hcl's way: what, where, the
// source lines underlined, the values that took part, what to do about it. Lines
// that are withheld are left out.
// Errors come before warnings; otherwise their order is kept.
func WriteDiagnostics(w io.Writer, style Style, sources Sources, diags hcl.Diagnostics) error {
	p := &page{style: style}
	ordered := slices.Clone(diags)
	slices.SortStableFunc(ordered, func(a, b *hcl.Diagnostic) int { return int(a.Severity) - int(b.Severity) })
	for _, problem := range ordered {
		p.diagnostic(sources, problem)
	}
	return p.flush(w)
}

// WriteError writes an error that has no place in a file, and what to do about
// it, if anything.
func WriteError(w io.Writer, style Style, text, advice string) error {
	p := &page{style: style}
	p.linef("%s %s", p.paint(red, "Error:"), p.paint(bold, text))
	if advice != "" {
		p.paragraph(0, advice)
	}
	return p.flush(w)
}

func (p *page) diagnostic(sources Sources, problem *hcl.Diagnostic) {
	title, c := "Error", red
	if problem.Severity == hcl.DiagWarning {
		title, c = "Warning", yellow
	}
	p.linef("%s %s", p.paint(c, title+":"), p.paint(bold, shorten(problem.Summary, longestDetail)))
	p.linef("")
	if problem.Subject != nil {
		p.linef("  on %s:", position(*problem.Subject))
		if !diag.SourceWithheld(problem) {
			p.snippet(sources[problem.Subject.Filename], *problem.Subject)
		}
		for _, value := range valuesOf(problem) {
			p.item(8, p.paint(dim, "│"), value)
		}
		p.linef("")
	}
	if problem.Detail != "" {
		p.paragraph(0, shorten(problem.Detail, longestDetail))
		p.linef("")
	}
}

// position is file:line:column, which editors and terminals make a link of.
func position(r hcl.Range) string {
	return fmt.Sprintf("%s:%d:%d", r.Filename, r.Start.Line, r.Start.Column)
}

// What is shown of source lines that nobody could read whole.
const (
	snippetLines  = 4   // of a long range
	snippetBefore = 60  // bytes of a line before what is underlined
	snippetWidth  = 200 // bytes of a line
)

// longestDetail bounds what one diagnostic says, in characters: it may quote
// names, and a file's author may have made one of megabytes.
const longestDetail = 4000

// snippet shows the lines of r, what r covers underlined.
func (p *page) snippet(source []byte, r hcl.Range) {
	if r.Start.Byte > r.End.Byte || r.End.Byte > len(source) || r.Start.Line < 1 {
		return
	}
	offset := bytes.LastIndexByte(source[:r.Start.Byte], '\n') + 1
	for number := r.Start.Line; number <= r.End.Line && number < r.Start.Line+snippetLines; number++ {
		line, _, more := bytes.Cut(source[offset:], []byte("\n"))
		from := min(max(r.Start.Byte-offset, 0), len(line))
		to := min(max(r.End.Byte-offset, from), len(line))
		shown, left := window(line, from)
		p.linef("  %s %s", p.paint(dim, fmt.Sprintf("%4d:", number)), strings.TrimRight(string(shown), "\r"))
		p.underline(shown, min(from-left, len(shown)), min(max(to-left, 0), len(shown)))
		if !more {
			return
		}
		offset += len(line) + 1
	}
	if r.End.Line >= r.Start.Line+snippetLines {
		p.linef("        %s", p.paint(dim, "…"))
	}
}

// window is what is shown of a line of which the byte at from matters, and how
// far it is moved to the left. What is left out is marked by an ellipsis.
func window(line []byte, from int) (shown []byte, left int) {
	start, end := 0, len(line)
	if from > snippetWidth {
		start = from - snippetBefore
		for start > 0 && !utf8.RuneStart(line[start]) {
			start--
		}
	}
	if end-start > snippetWidth+snippetBefore {
		end = start + snippetWidth
		for end > start && !utf8.RuneStart(line[end]) {
			end--
		}
	}
	shown = line[start:end]
	if end < len(line) {
		shown = append(shown[:len(shown):len(shown)], "…"...)
	}
	if start > 0 {
		return append([]byte("…"), shown...), start - len("…")
	}
	return shown, 0
}

func (p *page) underline(line []byte, from, to int) {
	// Leading blanks of a later line say nothing.
	from += len(line[from:to]) - len(bytes.TrimLeft(line[from:to], " \t"))
	if from >= to && to < len(line) {
		to = from + 1
	}
	margin := columns(line[:from])
	width := max(columns(line[from:max(to, from)]), 1)
	p.linef("        %s%s", strings.Repeat(" ", margin), p.paint(red, strings.Repeat("~", width)))
}

// columns is how wide source text is once cleaned for the screen.
func columns(text []byte) int {
	return utf8.RuneCountInString(clean(string(text)))
}
