package review

import (
	"path"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/runbook"
)

// commands are the programs that exec.run starts, each as far as it is written
// out: of a script, every simple command. A word that is not known is "".
func (r *reading) commands(op *runbook.Operation) [][]string {
	if op == nil || op.Type() != "exec.run" {
		return nil
	}
	if script := argument(op, "script"); script != nil {
		return shellCommands(r.script(script))
	}
	argv, ok := argument(op, "argv").(*hclsyntax.TupleConsExpr)
	if !ok {
		return nil
	}
	var words []string
	for _, expr := range argv.Exprs {
		word := ""
		if v, ok := r.known(expr, cty.String); ok {
			word = v.AsString()
		}
		words = append(words, word)
	}
	if len(words) >= 3 && isShell(words[0]) && words[1] == "-c" {
		return shellCommands(words[2])
	}
	return [][]string{unwrapped(words)}
}

// script is the text of an expression; what is filled in stands as one word.
func (r *reading) script(expr hclsyntax.Expression) string {
	if v, ok := r.known(expr, cty.String); ok {
		return v.AsString()
	}
	template, ok := expr.(*hclsyntax.TemplateExpr)
	if !ok {
		return ""
	}
	var b strings.Builder
	for _, part := range template.Parts {
		if v, ok := r.known(part, cty.String); ok {
			b.WriteString(v.AsString())
		} else {
			b.WriteString("_")
		}
	}
	return b.String()
}

func isShell(program string) bool {
	switch path.Base(program) {
	case "sh", "bash", "dash", "zsh", "ksh":
		return true
	}
	return false
}

var (
	shellComment   = regexp.MustCompile(`(?m)(^|\s)#.*$`)
	shellSeparator = regexp.MustCompile("&&|\\|\\||[;|&\n(){}`]|\\$\\(")
	shellWord      = regexp.MustCompile(`'[^']*'|"(?:[^"\\]|\\.)*"|[^\s'"]+`)
	assignment     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
)

// shellCommands are the simple commands of a script, roughly: enough to see which
// programs it starts, and not what becomes of them.
func shellCommands(script string) [][]string {
	var commands [][]string
	script = shellComment.ReplaceAllString(strings.ReplaceAll(script, "\\\n", " "), "")
	for _, part := range shellSeparator.Split(script, -1) {
		var words []string
		for _, word := range shellWord.FindAllString(part, -1) {
			words = append(words, strings.Trim(word, `'"`))
		}
		for len(words) > 0 && (assignment.MatchString(words[0]) || isKeyword(words[0])) {
			words = words[1:]
		}
		if words = unwrapped(words); len(words) > 0 {
			commands = append(commands, words)
		}
	}
	return commands
}

func isKeyword(word string) bool {
	switch word {
	case "if", "then", "else", "elif", "fi", "while", "until", "do", "done", "!", "exec", "time":
		return true
	}
	return false
}

// unwrapped is a command without the program that starts it for somebody else, or
// elsewhere: what counts is what runs in the end.
func unwrapped(words []string) []string {
	for len(words) > 1 {
		switch path.Base(words[0]) {
		case "sudo", "env", "nohup", "nice", "timeout", "xargs":
			words = words[1:]
			for len(words) > 1 && (strings.HasPrefix(words[0], "-") || assignment.MatchString(words[0]) || isNumber(words[0])) {
				words = words[1:]
			}
		case "docker", "podman", "kubectl":
			n := 0
			for n < len(words) && words[n] != "exec" {
				n++
			}
			if n++; n >= len(words) {
				return words
			}
			for n < len(words) && strings.HasPrefix(words[n], "-") {
				n++
			}
			if n++; n >= len(words) { // the container
				return words
			}
			if words[n] == "--" && n+1 < len(words) {
				n++
			}
			words = words[n:]
		default:
			return words
		}
	}
	return words
}

func isNumber(word string) bool { return strings.Trim(word, "0123456789smh.") == "" }

// redirection is what a script writes into by > and tee.
var redirection = regexp.MustCompile(`(?:[^0-9&>]>{1,2}|\btee(?:\s+-a)?)\s*["']?([^\s"'&|;<>()]+)`)

// answersByExitCode tells whether a program's exit code is the answer that it is
// asked for.
func answersByExitCode(command []string) bool {
	has := func(words ...string) bool {
		for _, word := range command[1:] {
			for _, wanted := range words {
				if word == wanted {
					return true
				}
			}
		}
		return false
	}
	switch path.Base(command[0]) {
	case "test", "[", "[[", "grep", "egrep", "fgrep", "zgrep", "cmp", "diff", "false", "pgrep", "pidof", "mountpoint", "findmnt",
		"id", "getent", "which", "type", "pg_isready", "nc", "ping", "expr", "lsof", "fuser":
		return true
	case "command":
		return has("-v", "-V")
	case "systemctl":
		return has("is-active", "is-enabled", "is-failed")
	case "sha256sum", "sha512sum", "sha1sum", "md5sum":
		return has("-c", "--check")
	case "jq":
		return has("-e", "--exit-status")
	case "git":
		return has("--quiet", "--exit-code", "--is-ancestor", "--verify")
	case "kill":
		return has("-0")
	case "tar", "gzip", "zstd", "xz", "bzip2", "unzip", "openssl":
		return has("-t", "--test", "-tf", "-tzf", "--list", "verify", "-checkend")
	}
	return false
}
