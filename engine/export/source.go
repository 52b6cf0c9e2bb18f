package export

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// sourceOf is an expression as its author wrote it, on one line, but for heredocs,
// and without comments; empty where there is none.
func sourceOf(rb *runbook.Runbook, expr hcl.Expression) string {
	if expr == nil {
		return ""
	}
	at := expr.Range()
	source := rb.Sources[at.Filename]
	if !at.CanSliceBytes(source) {
		return ""
	}
	tokens, _ := hclsyntax.LexExpression(at.SliceBytes(source), at.Filename, at.Start) // it has been parsed
	var line oneLine
	for _, token := range tokens {
		line.add(token)
	}
	return line.text.String()
}

// oneLine is source that is being written without line breaks. Within an object they
// divide one item from the next, so that a comma stands for them.
type oneLine struct {
	text   strings.Builder
	last   hclsyntax.Token
	broken bool   // whether a line has ended since the last token
	open   []bool // the brackets around, and whether each is that of an object
}

func (l *oneLine) add(token hclsyntax.Token) {
	switch token.Type {
	case hclsyntax.TokenEOF:
		return
	case hclsyntax.TokenNewline:
		l.broken = true
		return
	case hclsyntax.TokenComment:
		l.broken = l.broken || strings.HasSuffix(string(token.Bytes), "\n")
		return
	}
	if l.last.Type == hclsyntax.TokenOBrace {
		l.open[len(l.open)-1] = string(token.Bytes) != "for"
	}
	if l.broken && l.divides(token.Type) {
		l.text.WriteByte(',')
	}
	if l.text.Len() > 0 && l.last.Range.End.Byte < token.Range.Start.Byte {
		l.text.WriteByte(' ')
	}
	l.text.Write(token.Bytes)
	l.last, l.broken = token, false
	switch token.Type {
	case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
		l.open = append(l.open, false)
	case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
		l.open = l.open[:max(0, len(l.open)-1)]
	}
}

// divides says whether a line break before a token of that type is what divides it
// from the item before.
func (l *oneLine) divides(next hclsyntax.TokenType) bool {
	return len(l.open) > 0 && l.open[len(l.open)-1] &&
		!slices.Contains([]hclsyntax.TokenType{hclsyntax.TokenOBrace, hclsyntax.TokenComma}, l.last.Type) &&
		!slices.Contains([]hclsyntax.TokenType{hclsyntax.TokenCBrace, hclsyntax.TokenComma}, next)
}
