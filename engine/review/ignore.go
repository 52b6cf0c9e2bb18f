package review

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
)

// ignore is one comment `# runbook:ignore RULE reason`. It covers the block or
// argument that it stands above, or the line that it ends.
type ignore struct {
	rule, reason string
	at           hcl.Range
	alone        bool // on a line of its own
	from, to     int  // lines
	used         bool
}

var ignoreComment = regexp.MustCompile(`^(?:#|//)\s*runbook:ignore\b[ \t]*(\S*)[ \t]*(.*?)\s*$`)

// ignores reads the comments of a file.
func ignores(name string, source []byte, body *hclsyntax.Body) []*ignore {
	if !strings.Contains(string(source), "runbook:ignore") {
		return nil
	}
	tokens, _ := hclsyntax.LexConfig(source, name, hcl.InitialPos) // it has been parsed
	var found []*ignore
	for i, token := range tokens {
		if token.Type != hclsyntax.TokenComment {
			continue
		}
		words := ignoreComment.FindStringSubmatch(string(token.Bytes))
		if words == nil {
			continue
		}
		line := token.Range.Start.Line
		ig := &ignore{rule: words[1], reason: words[2], at: token.Range, alone: true, from: line, to: line}
		if i > 0 && tokens[i-1].Range.End.Line == line && tokens[i-1].Type != hclsyntax.TokenNewline && tokens[i-1].Type != hclsyntax.TokenComment {
			ig.alone = false
		}
		if ig.alone {
			ig.from, ig.to = covered(body, next(tokens[i+1:]))
		}
		ig.at.End = ig.at.Start
		ig.at.End.Byte += len(strings.TrimRight(string(token.Bytes), "\r\n"))
		ig.at.End.Column += len([]rune(strings.TrimRight(string(token.Bytes), "\r\n")))
		found = append(found, ig)
	}
	return found
}

// next is the line of the first token that is neither comment nor blank.
func next(tokens hclsyntax.Tokens) int {
	for _, token := range tokens {
		if token.Type != hclsyntax.TokenComment && token.Type != hclsyntax.TokenNewline {
			return token.Range.Start.Line
		}
	}
	return 0
}

// covered are the lines of the block or argument that begins on a line, or the
// line alone.
func covered(body *hclsyntax.Body, line int) (from, to int) {
	for _, attr := range body.Attributes {
		if attr.SrcRange.Start.Line == line {
			return line, attr.SrcRange.End.Line
		}
	}
	for _, block := range body.Blocks {
		whole := block.Range()
		end := block.CloseBraceRange.End.Line
		switch {
		case whole.Start.Line == line:
			return line, end
		case whole.Start.Line < line && line <= end:
			return covered(block.Body, line)
		}
	}
	return line, line
}

// ignored leaves out the findings that a file says to ignore, and adds what is
// wrong with these ignores. What a file that is included ignores may be of use to
// another runbook, and what is said of several runbooks side by side shows only
// there: neither is reported as unused where it cannot be told.
func ignored(readings []*reading, found []Finding, settings Settings) []Finding {
	files := map[string][]*ignore{}
	own, beside := map[string]bool{}, map[string]int{}
	for _, r := range readings {
		own[r.rb.File] = true
		beside[filepath.Dir(r.rb.File)]++
		for name, body := range r.rb.Bodies {
			if _, known := files[name]; !known {
				files[name] = ignores(name, r.rb.Sources[name], body)
			}
		}
	}
	found = slices.DeleteFunc(found, func(f Finding) bool {
		hit := false
		for _, ig := range files[f.Diagnostic.Subject.Filename] {
			line := f.Diagnostic.Subject.Start.Line
			if ig.rule == f.Rule.ID && ig.reason != "" && ig.from <= line && line <= ig.to {
				ig.used, hit = true, true
			}
		}
		return hit
	})
	rules := map[string]*Rule{}
	for _, rule := range Rules() {
		rules[rule.ID] = rule
	}
	malformed := collect(rules[ignoreMalformed().ID], settings, &found)
	unused := collect(rules[ignoreUnused().ID], settings, &found)
	for _, file := range sorted(files) {
		for _, ig := range files[file] {
			rule := rules[ig.rule]
			switch {
			case ig.rule == "":
				malformed(ig.at, "It names no rule. Write # runbook:ignore RULE and the reason.")
			case rule == nil:
				f := malformed(ig.at, "There is no rule %q.", ig.rule)
				diag.Suggest(f.Diagnostic, diag.Nearest(ig.rule, ruleIDs()))
			case ig.reason == "":
				malformed(ig.at, "It gives no reason, so nothing is ignored. Whoever reads the file next wants to know why %s does not count here: write it behind the rule.", ig.rule)
			case ig.used || !own[file] || settings.severity(rule) == hcl.DiagInvalid || rule.across != nil && beside[filepath.Dir(file)] < 2:
			default:
				f := unused(ig.at, "Here %s finds nothing to ignore. Take the comment away, or move it right above the block or argument that it is about.", ig.rule)
				f.Edits = []Edit{{Range: wholeLine(ig, readings, file)}}
			}
		}
	}
	return slices.DeleteFunc(found, func(f Finding) bool { return f.Diagnostic.Severity == hcl.DiagInvalid })
}

// wholeLine is the range of a comment with the blanks before it, and with the end
// of its line where nothing else is on it.
func wholeLine(ig *ignore, readings []*reading, file string) hcl.Range {
	at := ig.at
	for _, r := range readings {
		source := r.rb.Sources[file]
		if source == nil {
			continue
		}
		for at.Start.Byte > 0 && (source[at.Start.Byte-1] == ' ' || source[at.Start.Byte-1] == '\t') {
			at.Start.Byte--
		}
		if ig.alone && at.End.Byte < len(source) {
			at.End.Byte += strings.IndexByte(string(source[at.End.Byte:]), '\n') + 1
		}
		break
	}
	return at
}

func ignoreMalformed() *Rule {
	return &Rule{
		ID: "ignore_malformed", Severity: hcl.DiagError, Summary: "An ignore that says too little",
		Why: "`# runbook:ignore RULE reason` leaves a finding out. It names one rule that there is, and the reason why it does not count here: the next reader has nothing else to judge it by. Without a reason nothing is ignored.",
		Bad: []string{`runbook "announce" {}

# runbook:ignore mutation_without_prof it is only a message
step "say" {
  action "core.log" {
    message = "maintenance begins"
  }
}
`},
		Good: []string{`runbook "announce" {}

step "say" {
  action "core.log" {
    message = "maintenance begins"
  }
}
`},
	}
}

func ignoreUnused() *Rule {
	return &Rule{
		ID: "ignore_unused", Severity: hcl.DiagWarning, Summary: "An ignore that nothing answers to", Fixable: true,
		Why: "What the comment speaks of has been mended or moved. Left in place it hides the next mistake of this kind. It covers the block or argument right below it, or the line that it ends.",
		Bad: []string{`runbook "announce" {}

# runbook:ignore mutation_without_proof it is only a message
step "say" {
  action "core.log" {
    message = "maintenance begins"
  }
}
`},
		Good: []string{`runbook "announce" {}

step "say" {
  action "core.log" {
    message = "maintenance begins"
  }
}
`},
	}
}
