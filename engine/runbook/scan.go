package runbook

import (
	"bytes"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/runbook-engine/runbook/engine/diag"
)

// The bounds of what is parsed. The HCL parser recurses into brackets,
// templates and operators, and a Go stack that overflows cannot be recovered
// from; so text is scanned before it is parsed.
const (
	maxDepth  = 200       // brackets, blocks and templates inside one another
	maxChain  = 1000      // operators around one operand
	maxTokens = 400_000   // of a runbook's files together: all that is made of one takes up to 400 bytes
	maxAlone  = 100_000   // of a file or text that is parsed beside a runbook
	maxWord   = 1000      // bytes of a name or number
	maxJoined = 400 << 20 // bytes that the parser moves to join the lines of text
	maxFound  = 20        // diagnostics of one scan
)

// Scan looks at the text of a file before it is parsed: how deep it nests, and
// which characters it holds. It is linear and does not recurse. Text that it
// finds an error in must not be parsed.
func Scan(name string, src []byte) hcl.Diagnostics {
	_, diags := scan(name, src, frame{open: openFile}, maxTokens)
	return diags
}

// ScanExpression is Scan for a single expression.
func ScanExpression(name string, src []byte) hcl.Diagnostics {
	_, diags := scan(name, src, frame{open: '('}, maxAlone)
	return diags
}

// ScanTemplate is Scan for a template without quotes around it.
func ScanTemplate(name string, src []byte) hcl.Diagnostics {
	_, diags := scan(name, src, frame{open: openHeredoc}, maxAlone)
	return diags
}

// frame is something that is open: a bracket by its own character, or one of
// the following.
type frame struct {
	open   byte
	chain  int    // operators since the last separator
	marker []byte // of a heredoc; nil: a template that ends with the text
	fresh  bool   // nothing but blanks so far
	joined bool   // a newline ends nothing in here

	// Of a template: the parser makes a part of each line and each sequence, and
	// then joins the lines, each time copying what it has and moving up what is
	// left. A heredoc of n lines so costs n*n.
	parts  int
	lines  int
	text   int // bytes since the last sequence
	copied int
}

const (
	openFile     = 'B' // the outermost body
	openQuotes   = '"'
	openHeredoc  = 'H'
	openTemplate = 'T' // ${ or %{
)

// scanner follows hclsyntax's lexer: where it sees a bracket, so does this, and
// where that is text or a comment, nothing counts.
type scanner struct {
	name   string
	src    []byte
	at     int
	stack  []frame
	depth  int
	chain  int // of all frames
	tokens int
	most   int // tokens
	joined int // bytes that joining the lines of text moves
	diags  hcl.Diagnostics
	failed bool // further structure means nothing
}

// scan tells how many tokens there are, at least, and refuses more than most.
func scan(name string, src []byte, outermost frame, most int) (tokens int, diags hcl.Diagnostics) {
	s := &scanner{name: name, src: src, stack: []frame{outermost}, most: most}
	for s.at < len(src) && !s.failed {
		s.step()
	}
	s.pop(0) // what is not closed is parsed all the same
	s.characters()
	return s.tokens, s.diags
}

func (s *scanner) step() {
	switch s.top().open {
	case openQuotes:
		s.quoted()
	case openHeredoc:
		s.heredoc()
	default:
		s.code()
	}
}

func (s *scanner) top() *frame { return &s.stack[len(s.stack)-1] }

func (s *scanner) peek(i int) byte {
	if s.at+i < len(s.src) {
		return s.src[s.at+i]
	}
	return 0
}

func (s *scanner) push(f frame) {
	if f.open != openQuotes && f.open != openHeredoc {
		if s.depth++; s.depth > maxDepth {
			s.fail(diag.NestingTooDeep, "Brackets, blocks and templates are more than %d deep here. Take parts out, as locals for example.", maxDepth)
		}
	}
	f.fresh = true
	s.stack = append(s.stack, f)
}

// pop closes the frame at i and all that are open inside it.
func (s *scanner) pop(i int) {
	for _, f := range s.stack[i:] {
		s.chain -= f.chain
		if s.joined += f.copied + 16*f.lines*f.parts; s.joined > maxJoined {
			s.fail(diag.FileTooLarge, "The text up to here is too long to be parsed: a template is made for some hundred lines. Put long text into a file of its own, and read it with file().")
		}
		if f.open != openQuotes && f.open != openHeredoc {
			s.depth--
		}
	}
	s.stack = s.stack[:i]
}

func (s *scanner) link(n int) {
	s.top().chain += n
	if s.chain += n; s.chain > maxChain {
		s.fail(diag.NestingTooDeep, "More than %d operators belong together here. Split the expression, with locals for example.", maxChain)
	}
}

func (s *scanner) unlink() {
	t := s.top()
	s.chain -= t.chain
	t.chain = 0
}

func (s *scanner) fail(kind diag.Kind, format string, args ...any) {
	if !s.failed {
		s.failed = true
		s.diags = append(s.diags, kind.At(s.position(s.at, 1), format, args...))
	}
}

// code scans one token outside text.
func (s *scanner) code() {
	c := s.src[s.at]
	switch c {
	case ' ', '\t', '\r':
		s.at++
		return
	case '\n':
		if t := s.top(); t.open == openFile || t.open == '{' && !t.joined {
			s.unlink()
		}
		s.count()
		s.at++
		return
	case '#':
		s.comment()
		return
	case '/':
		if next := s.peek(1); next == '/' {
			s.comment()
			return
		} else if next == '*' {
			s.longComment()
			return
		}
	}
	if s.count(); s.failed {
		return
	}
	if isNameByte(c) {
		s.word()
		return
	}
	s.top().fresh = false
	s.sign(c)
}

// count counts a token.
func (s *scanner) count() {
	s.tokens++
	switch {
	case s.tokens <= s.most:
	case s.most == maxAlone:
		s.fail(diag.FileTooLarge, "This file is longer than %d words, signs and lines, which is the most that is parsed.", maxAlone)
	default:
		s.fail(diag.FileTooLarge, "A runbook holds at most %d words, signs and lines, all its files together, and here are more. Split it, or put tables into a file that jsondecode(file(…)) reads.", maxTokens)
	}
}

// sign scans a bracket, an operator or the start of text.
func (s *scanner) sign(c byte) {
	switch c {
	case '"':
		s.push(frame{open: openQuotes})
	case '(', '{':
		s.push(frame{open: c})
	case '[':
		s.link(1) // x[a][b] nests though its brackets do not
		s.push(frame{open: c})
	case ')', ']', '}':
		s.close(c)
	case ',':
		s.unlink()
	case '<':
		if s.peek(1) == '<' && s.beginHeredoc() {
			return
		}
		s.link(1)
	case '+', '-', '*', '/', '%', '!', '?', '&', '|', '>', '=':
		s.link(1)
	}
	s.at++
}

// close closes the nearest bracket that c fits. Braces bound the search, as
// they do for the lexer; without a fitting one c closes nothing.
func (s *scanner) close(c byte) {
	for i := len(s.stack) - 1; i > 0; i-- {
		switch open := s.stack[i].open; {
		case open == '(' && c == ')', open == '[' && c == ']', open == '{' && c == '}', open == openTemplate && c == '}':
			s.pop(i)
			return
		case open == '{', open == openTemplate:
			return
		}
	}
}

func isNameByte(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c >= utf8.RuneSelf
}

// word scans a name or number. A name with letters that are not ASCII is
// refused: two that look alike would be two names.
func (s *scanner) word() {
	start := s.at
	ascii := true
	number := '0' <= s.src[start] && s.src[start] <= '9'
	for s.at < len(s.src) && (isNameByte(s.src[s.at]) || s.src[s.at] == '-' && !number) {
		ascii = ascii && s.src[s.at] < utf8.RuneSelf
		s.at++
	}
	word := s.src[start:s.at]
	if !ascii && len(s.diags) < maxFound {
		s.diags = append(s.diags, notASCII(word, s.position(start, len(word))))
	}
	if len(word) > maxWord {
		s.at = start
		s.fail(diag.InvalidName, "This name or number has more than %d characters.", maxWord)
	}
	if number {
		s.number(word)
	}
	if t := s.top(); t.fresh {
		t.fresh = false
		t.joined = string(word) == "for"
	}
}

// number refuses numbers that take long to read or to write out.
func (s *scanner) number(word []byte) {
	exponent := 0
	if i := bytes.LastIndexAny(word, "eE"); i >= 0 {
		exponent = len(word) - i - 1
		if exponent == 0 && (s.peek(0) == '-' || s.peek(0) == '+') {
			for d := s.peek(1 + exponent); '0' <= d && d <= '9'; d = s.peek(1 + exponent) {
				exponent++
			}
		}
	}
	if exponent > 3 {
		s.fail(diag.InvalidArgument, "This number is too large, too close to zero or too long to work with.")
	}
}

func (s *scanner) comment() {
	s.count()
	end := bytes.IndexByte(s.src[s.at:], '\n')
	if end < 0 {
		s.at = len(s.src)
		return
	}
	s.at += end
}

func (s *scanner) longComment() {
	s.count()
	s.count() // the formatter measures it
	end := bytes.Index(s.src[s.at+2:], []byte("*/"))
	if end < 0 {
		s.fail(diag.Syntax, "This comment is not closed: it ends with */.")
		return
	}
	s.at += 2 + end + 2
}

// position is the range of n bytes at offset at.
func (s *scanner) position(at, n int) hcl.Range {
	line := bytes.Count(s.src[:at], []byte("\n")) + 1
	begin := bytes.LastIndexByte(s.src[:at], '\n') + 1
	end := min(at+n, len(s.src))
	column := utf8.RuneCount(s.src[begin:at]) + 1
	return hcl.Range{
		Filename: s.name,
		Start:    hcl.Pos{Line: line, Column: column, Byte: at},
		End:      hcl.Pos{Line: line, Column: column + utf8.RuneCount(s.src[at:end]), Byte: end},
	}
}
