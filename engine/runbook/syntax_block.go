package runbook

import (
	"bytes"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/runbook-engine/runbook/engine/diag"
)

// explainOneLine shows a block that HCL does not take on one line over several.
func explainOneLine(src []byte, at hcl.Range) *hcl.Diagnostic {
	start := bytes.LastIndexByte(src[:at.Start.Byte], '\n') + 1
	line, _, _ := bytes.Cut(src[start:], []byte("\n"))
	expanded := ""
	if len(line) <= longestLine {
		expanded = expandLine(bytes.TrimSpace(line))
	}
	if expanded == "" {
		return diag.OneLineBlock.At(at, "A block on one line holds one argument and ends on that line. Write every argument, every nested block and the closing brace on a line of its own.")
	}
	d := diag.OneLineBlock.At(at, "A block on one line holds one argument and no block. Write it over several lines:\n\n%s", indent(expanded))
	return diag.WithSuggestion(d, expanded)
}

// expandLine writes one line of HCL over several, or returns nothing where the
// line does not hold whole blocks.
func expandLine(line []byte) string {
	tokens, diags := hclsyntax.LexConfig(line, "", hcl.InitialPos)
	if len(tokens) == 0 || len(diags) > 1 {
		return ""
	}
	var out bytes.Buffer
	var open []hclsyntax.TokenType // what is open; blocks as TokenOBrace, all else as itself
	inBlock := func() bool { return len(open) == 0 || open[len(open)-1] == hclsyntax.TokenOBrace }
	at := 0 // what of the line is copied
	for i, t := range tokens {
		if at == len(line) {
			break
		}
		from, to := t.Range.Start.Byte, t.Range.End.Byte
		switch t.Type {
		case hclsyntax.TokenOBrace:
			if isBlockHeader(tokens[:i]) && inBlock() {
				out.Write(line[at:to])
				out.WriteByte('\n')
				at = to
				open = append(open, hclsyntax.TokenOBrace)
			} else {
				open = append(open, hclsyntax.TokenOBrack)
			}
		case hclsyntax.TokenOBrack, hclsyntax.TokenOParen, hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			open = append(open, hclsyntax.TokenOBrack)
		case hclsyntax.TokenCBrace, hclsyntax.TokenCBrack, hclsyntax.TokenCParen, hclsyntax.TokenTemplateSeqEnd:
			if len(open) == 0 {
				return ""
			}
			if inBlock() {
				out.Write(bytes.TrimSpace(line[at:from]))
				out.WriteString("\n}\n")
				at = to
			}
			open = open[:len(open)-1]
		case hclsyntax.TokenComma, hclsyntax.TokenSemicolon:
			if inBlock() {
				out.Write(bytes.TrimSpace(line[at:from]))
				out.WriteByte('\n')
				at = to
			}
		case hclsyntax.TokenIdent:
			if inBlock() && startsItem(tokens, i) && at < from {
				out.Write(bytes.TrimSpace(line[at:from]))
				out.WriteByte('\n')
				at = from
			}
		case hclsyntax.TokenComment, hclsyntax.TokenEOF:
			out.Write(line[at:from])
			at = len(line)
		}
	}
	if len(open) > 0 {
		return ""
	}
	lines := slices.DeleteFunc(strings.Split(out.String(), "\n"), func(l string) bool { return strings.TrimSpace(l) == "" })
	return string(hclwrite.Format([]byte(strings.Join(lines, "\n"))))
}

// isBlockHeader says whether the tokens before a brace end in a block's header:
// a name and its labels, without an equals sign.
func isBlockHeader(before hclsyntax.Tokens) bool {
	for _, t := range slices.Backward(before) {
		switch t.Type {
		case hclsyntax.TokenOQuote, hclsyntax.TokenQuotedLit, hclsyntax.TokenCQuote:
		case hclsyntax.TokenIdent:
			return true
		default:
			return false
		}
	}
	return false
}

// startsItem says whether the name at i begins an argument or a nested block
// that something on the line comes before.
func startsItem(tokens hclsyntax.Tokens, i int) bool {
	if i == 0 || i+1 >= len(tokens) {
		return false
	}
	switch tokens[i+1].Type {
	case hclsyntax.TokenEqual:
		return true
	case hclsyntax.TokenOBrace, hclsyntax.TokenOQuote:
		switch tokens[i-1].Type {
		case hclsyntax.TokenEqual, hclsyntax.TokenDot, hclsyntax.TokenColon, hclsyntax.TokenQuestion:
			return false
		}
		return true
	}
	return false
}

func indent(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }
