package runbook

import (
	"bytes"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
)

// lexerDepth is how deep the lexer's own tokens nest brackets and templates,
// counted as the scanner does.
func lexerDepth(tokens hclsyntax.Tokens) int {
	var stack []hclsyntax.TokenType
	depth, deepest := 0, 0
	closeTo := func(open hclsyntax.TokenType) {
		for i := len(stack) - 1; i >= 0; i-- {
			switch {
			case stack[i] == open:
				depth -= len(stack) - i
				stack = stack[:i]
				return
			case stack[i] == hclsyntax.TokenOBrace, stack[i] == hclsyntax.TokenTemplateInterp:
				return
			}
		}
	}
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOBrace, hclsyntax.TokenOBrack, hclsyntax.TokenOParen:
			stack = append(stack, t.Type)
			depth++
		case hclsyntax.TokenTemplateInterp, hclsyntax.TokenTemplateControl:
			stack = append(stack, hclsyntax.TokenTemplateInterp)
			depth++
		case hclsyntax.TokenCBrace:
			closeTo(hclsyntax.TokenOBrace)
		case hclsyntax.TokenCBrack:
			closeTo(hclsyntax.TokenOBrack)
		case hclsyntax.TokenCParen:
			closeTo(hclsyntax.TokenOParen)
		case hclsyntax.TokenTemplateSeqEnd:
			for i := len(stack) - 1; i >= 0; i-- {
				if stack[i] == hclsyntax.TokenTemplateInterp {
					depth -= len(stack) - i
					stack = stack[:i]
					break
				}
			}
		}
		deepest = max(deepest, depth)
	}
	return deepest
}

// FuzzScan holds the scanner against the lexer it follows: text that passes the
// scan must not nest deeper for the lexer than the scanner allows.
func FuzzScan(f *testing.F) {
	for _, seed := range []string{
		"a = 1\n", "a = \"${b}\"\n", "a = \"$${b}\"\n", "a = \"$$${b}\"\n", "a = \"%%{b}%{if c}d%{endif}\"\n",
		"a = <<EOT\n  ${b}\nEOT\n", "a = <<-EOT\n  x\n  EOT\nb = [\n", "a = <<EOT\nEOT", "a = \"\\\"${\"\n", "a = \"\\${\"\n",
		"/* [ */ a = [", "/* [", "# [\na", "// [\na", "a = \"${\"${\"${b}\"}\"}\"\n", "a = {(}) ] }", "\"${ {(} } \"",
		"a = \"~${~ b ~}\"\n", "a = <<EOT\n${<<X\n[\nX\n}\nEOT\n", "a \"$\n{\" ", "a = b-${c", "<<A\n%\nA\n", "<<A\nA \r\n[", "1-2[", "<<é\n[\né\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s := &scanner{name: "x", src: src, stack: []frame{{open: openFile}}}
		deepest := 0
		for s.at < len(src) && !s.failed {
			s.step()
			deepest = max(deepest, s.depth)
		}
		s.characters()
		if s.diags.HasErrors() || bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
			return
		}
		tokens, _ := hclsyntax.LexConfig(src, "x", hcl.InitialPos)
		if got := lexerDepth(tokens); got > deepest {
			t.Errorf("the lexer nests %d deep, the scanner saw %d in %q", got, deepest, src)
		}
	})
}

func TestScanHostile(t *testing.T) {
	tests := []struct{ name, src, want string }{
		{"brackets", "a = " + strings.Repeat("[", 1_000_000), "nesting_too_deep"},
		{"templates", "a = " + strings.Repeat(`"${`, 120_000), "nesting_too_deep"},
		{"blocks", strings.Repeat("a {\n", 100_000), "nesting_too_deep"},
		{"unary", "a = " + strings.Repeat("!", 1_000_000), "nesting_too_deep"},
		{"minus", "a = " + strings.Repeat("-", 1_000_000) + "1", "nesting_too_deep"},
		{"sum", "a = 1" + strings.Repeat("+1", 1_000_000), "nesting_too_deep"},
		{"difference", "a = 1" + strings.Repeat("-1", 1_000_000), "nesting_too_deep"},
		{"sum in parentheses", "a = (1" + strings.Repeat("+1\n", 1_000_000), "nesting_too_deep"},
		{"sum in a for", "a = { /* x */\nfor k, v in x : k => 1" + strings.Repeat("+1\n", 1_000_000), "nesting_too_deep"},
		{"conditions", "a = " + strings.Repeat("b ? c : ", 1_000_000), "nesting_too_deep"},
		{"indexes", "a = b" + strings.Repeat("[c]", 1_000_000), "nesting_too_deep"},
		{"directives", "a = \"" + strings.Repeat("%{if b}", 1_000_000), "nesting_too_deep"},
		{"heredoc directives", "a = <<X\n" + strings.Repeat("%{~ for b in c}\n", 100_000), "nesting_too_deep"},
		{"open comments", strings.Repeat("/* ", 1_000_000), "syntax"},
		{"signs", strings.Repeat(",", 8<<20), "file_too_large"},
		{"lines of a heredoc", "a = <<X\n" + strings.Repeat(strings.Repeat("x", 79)+"\n", 100_000) + "X\n", "file_too_large"},
		{"lines of many heredocs", strings.Repeat("a = <<X\n"+strings.Repeat("some text\n", 2000)+"X\n", 50), "file_too_large"},
		{"lines, then sequences", "a = <<X\n" + strings.Repeat("\n", 20_000) + strings.Repeat("${b}", 20_000) + "\nX\n", "file_too_large"},
		{"lines of a heredoc that is not closed", "a = <<X\n" + strings.Repeat("some text\n", 20_000), "file_too_large"},
		{"escaped sequences", "a = \"" + strings.Repeat("$${", 100_000) + "\"", "file_too_large"},
		{"comments", strings.Repeat("/**/", 250_000), "file_too_large"},
		{"empty lines", strings.Repeat("\n", 500_000), "file_too_large"},
		{"a long name", strings.Repeat("a", 8<<20) + " = 1", "invalid_name"},
		{"controls", strings.Repeat("\x01", 400_000), "forbidden_character"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			diags := Scan("x", []byte(tt.src))
			if len(diags) == 0 {
				t.Fatal("the scan passed")
			}
			if got := diag.ID(diags[0]); got != tt.want {
				t.Errorf("got %s (%s), want %s", got, diags[0].Detail, tt.want)
			}
		})
	}
}

func TestScanLeavesOrdinaryTextAlone(t *testing.T) {
	long := strings.Repeat("a = b + c - d\n", 10_000) + "x = [\n" + strings.Repeat("  1 + 2,\n", 10_000) + "]\n" +
		"y = \"" + strings.Repeat("%{if b}c%{else}d%{endif}${e}", 5_000) + "\"\n"
	if diags := Scan("x", []byte(long)); len(diags) > 0 {
		t.Errorf("%s", diags)
	}
}
