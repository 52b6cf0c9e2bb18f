package runbook

import (
	"unicode"
	"unicode/utf8"

	"github.com/runbook-engine/runbook/engine/diag"
)

// wording follows the words of a file, in text and comments too, and reports one
// that has letters of the Latin alphabet and others that look like them: usеrs,
// with a Cyrillic е, is another table than users. Words of another alphabet alone
// are what they look like.
type wording struct {
	*scanner
	start int  // of the word
	runes int  // in it; 0: there is none
	latin bool // it has ASCII letters
	odd   rune // the first letter that looks like one of those; 0: none
	at    int  // where that is
	skip  int  // bytes that belong to an escape sequence
	verb  bool // a verb of a format comes: the d of %5d
}

// ascii takes a byte that is a character by itself. What comes after a backslash
// or a percent sign is no part of the word beside it.
func (w *wording) ascii(i int, c byte) {
	letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	switch {
	case w.skip > 0:
		w.skip--
	case c == '\\':
		w.end(i)
		w.skip = escape(w.src[i+1:])
	case c == '%':
		w.end(i)
		w.verb = true
	case w.verb && letter:
		w.verb = false
	case w.verb && c != ' ' && c != '\n' && c != '"':
	case letter:
		w.begin(i)
		w.latin = true
	case c == '_', '0' <= c && c <= '9':
		w.begin(i)
	default:
		w.end(i)
		w.verb = false
	}
}

// escape is how many bytes after a backslash are no letters of a word: those of
// \n and \u00e9, and of the \d of a pattern, whose backslash is doubled.
func escape(rest []byte) int {
	switch {
	case len(rest) == 0:
		return 0
	case rest[0] == 'u':
		return 5
	case rest[0] == 'U':
		return 9
	case rest[0] == '\\':
		return 2
	}
	return 1
}

// rune takes a character that is not ASCII.
func (w *wording) rune(i int, r rune) {
	w.skip, w.verb = 0, false
	if !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) {
		w.end(i)
		return
	}
	w.begin(i)
	if w.odd == 0 && looksLatin(r) {
		w.odd, w.at = r, i
	}
}

func (w *wording) begin(i int) {
	if w.runes == 0 {
		w.start = i
	}
	w.runes++
}

// end ends the word before i, if there is one.
func (w *wording) end(i int) {
	if w.latin && w.odd != 0 && !w.isRange(i) {
		w.diags = append(w.diags, diag.ForbiddenCharacter.At(w.position(w.at, utf8.RuneLen(w.odd)),
			"The letter %s stands among letters of the Latin alphabet and looks like one of them, so that this word is not what it seems to be. Write the whole word in one alphabet.", codePoint(w.odd)))
	}
	w.runes, w.latin, w.odd = 0, false, 0
}

// isRange tells the middle of a-zа-я: two ranges of letters in a pattern.
func (w *wording) isRange(end int) bool {
	return w.runes == 2 && w.start > 0 && w.src[w.start-1] == '-' && end < len(w.src) && w.src[end] == '-'
}

// alphabets are those with many letters that look like Latin ones.
var alphabets = []*unicode.RangeTable{unicode.Cyrillic, unicode.Cherokee, unicode.Armenian, unicode.Coptic, unicode.Lisu, unicode.Deseret, unicode.Osage}

// greek are its letters that look like Latin ones. Others stand for units and
// quantities: µs, Δt.
const greek = "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧοινρυ"

func looksLatin(r rune) bool {
	switch {
	case r >= 0xff10 && r <= 0xff5a, // full width
		r >= 0x1d400 && r <= 0x1d7ff,                     // bold, italic, script and other mathematical letters
		r >= 0x2160 && r <= 0x217f,                       // Roman numerals
		r == 'ɑ', r == 'ɡ', r == 'ɩ', r == 'ꓲ', r == 'ᴦ': // of phonetic alphabets
		return true
	case unicode.Is(unicode.Greek, r):
		for _, g := range greek {
			if r == g {
				return true
			}
		}
		return false
	}
	return unicode.IsOneOf(alphabets, r)
}
