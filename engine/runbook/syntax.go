package runbook

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/diag"
)

// longestLine bounds the part of a line that is looked at to explain a mistake.
const longestLine = 2000

// maxSyntax bounds the diagnostics about one file's syntax: after some of them,
// the rest follow from the first.
const maxSyntax = 50

// explainSyntax gives the parser's diagnostics an ID, and those of HCL's traps
// words of our own. Of several about one place, or one unclosed string, the
// first stays.
func explainSyntax(src []byte, diags hcl.Diagnostics) hcl.Diagnostics {
	var kept hcl.Diagnostics
	places := map[int]bool{}
	brokenString := false
	for _, d := range diags {
		if d.Subject == nil || places[d.Subject.Start.Byte] || len(kept) == maxSyntax {
			continue
		}
		places[d.Subject.Start.Byte] = true
		switch d.Summary {
		case "Invalid multi-line string", "Unterminated template string":
			if brokenString {
				continue
			}
			brokenString = true
		}
		kept = append(kept, explain(src, d))
	}
	return diag.Adopt(diag.Syntax, kept)
}

func explain(src []byte, d *hcl.Diagnostic) *hcl.Diagnostic {
	at := *d.Subject
	switch d.Summary {
	case "Invalid single-argument block definition", "Argument definition required":
		return explainOneLine(src, at)
	case "Invalid character":
		if at.End.Byte <= len(src) && string(src[at.Start.Byte:at.End.Byte]) == ";" {
			return explainOneLine(src, at)
		}
	case "Invalid template control keyword":
		return explainDirective(src, at)
	case "Extra characters after interpolation expression", "Unclosed template interpolation sequence", "Invalid expression", "Missing expression":
		return explainInterpolation(src, d)
	case "Argument or block definition required":
		return explainOperator(src, d)
	case "Invalid escape sequence":
		said := string(src[at.Start.Byte:min(at.End.Byte, len(src))])
		n := diag.InvalidEscape.At(at, "HCL knows the escapes \\n, \\r, \\t, \\\", \\\\, \\uNNNN and \\UNNNNNNNN. For a backslash, as in a regular expression, write two: \\%s", said)
		return diag.WithSuggestion(n, "\\"+said)
	}
	return d
}

// operators are those that people put at the start of a line.
var operators = regexp.MustCompile(`^(&&|\|\||[?:+*/<>]|==|!=|<=|>=)`)

func explainOperator(src []byte, d *hcl.Diagnostic) *hcl.Diagnostic {
	at := *d.Subject
	before := src[bytes.LastIndexByte(src[:at.Start.Byte], '\n')+1 : at.Start.Byte]
	operator := operators.Find(src[at.Start.Byte:])
	if operator == nil || len(bytes.TrimSpace(before)) > 0 {
		return d
	}
	return diag.OperatorAtLineStart.At(at, "An argument ends with its line, so %q has nothing on its left. Put the whole expression in parentheses: name = ( … ), which may go over several lines.", operator)
}

func explainDirective(src []byte, at hcl.Range) *hcl.Diagnostic {
	start := bytes.LastIndex(src[:at.Start.Byte], []byte("%{"))
	if start < 0 {
		start = at.Start.Byte
	}
	said := sequence(src, start)
	d := diag.ShellInterpolation.At(at, "In a template, %%{ begins a directive: if, for, else, endif or endfor. Where this is meant for another program, such as curl, double the percent sign: %%%s", said)
	return diag.WithSuggestion(d, "%"+said)
}

// explainInterpolation takes a parser's complaint about what follows ${ for
// what it mostly is: an expansion of the shell.
func explainInterpolation(src []byte, d *hcl.Diagnostic) *hcl.Diagnostic {
	at := *d.Subject
	line := bytes.LastIndexByte(src[:at.Start.Byte], '\n') + 1
	start := bytes.LastIndex(src[line:at.Start.Byte], []byte("${"))
	if start < 0 {
		return d
	}
	start += line
	said := sequence(src, start)
	if !shellExpansion.MatchString(said) {
		return d
	}
	n := diag.ShellInterpolation.At(at, "In a template, ${ begins an expression of HCL. Where this is meant for a shell, double the dollar sign: $%s", said)
	return diag.WithSuggestion(n, "$"+said)
}

// shellExpansion matches what a shell takes and HCL does not: ${x:-y}, ${x%y},
// ${x/y/z}, ${#x}, ${!x}, ${@}.
var shellExpansion = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z_0-9]*(\[[^\]]*\])?[:#%/^,@!-]|[#!@*$?])`)

// sequence is the template sequence at start, up to its closing brace or the
// end of its line.
func sequence(src []byte, start int) string {
	rest, _, _ := bytes.Cut(src[start:min(len(src), start+longestLine)], []byte("\n"))
	if end := bytes.IndexByte(rest, '}'); end >= 0 {
		rest = rest[:end+1]
	}
	return strings.TrimSpace(string(rest))
}
