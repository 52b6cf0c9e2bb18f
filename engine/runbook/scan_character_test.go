package runbook

import (
	"strings"
	"testing"

	"github.com/runbook-engine/runbook/engine/diag"
)

// TestForbiddenCharacters: each is found wherever it stands, and called by its
// name.
func TestForbiddenCharacters(t *testing.T) {
	for char, want := range map[string]string{
		"\u202e": "U+202E (RIGHT-TO-LEFT OVERRIDE), which changes the direction", "\u2066": "U+2066 (LEFT-TO-RIGHT ISOLATE)", "\u061c": "U+061C (ARABIC LETTER MARK)",
		"\u200b": "invisible character U+200B (ZERO WIDTH SPACE)", "\u200d": "U+200D (ZERO WIDTH JOINER)", "\u2060": "U+2060 (WORD JOINER)",
		"\u00ad": "U+00AD (SOFT HYPHEN)", "\u034f": "U+034F (COMBINING GRAPHEME JOINER)", "\u115f": "U+115F (HANGUL CHOSEONG FILLER)", "\u3164": "U+3164 (HANGUL FILLER)",
		"\ufff9": "U+FFF9 (INTERLINEAR ANNOTATION ANCHOR)", "\ufe01": "U+FE01 (VARIATION SELECTOR-2)", "\U000e0100": "U+E0100 (VARIATION SELECTOR-17)",
		"\u2800": "U+2800 (BRAILLE PATTERN BLANK)", "\u2028": "U+2028 (LINE SEPARATOR)", "\U000e0041": "tag character U+E0041 (TAG LATIN CAPITAL LETTER A)",
		"\ufeff": "byte order mark", "\x07": "control character U+0007", "\u0085": "control character U+0085", "\r": "carriage return without", "\xff": "not UTF-8",
	} {
		for _, text := range []string{"# a" + char + "b\n", "a = \"x" + char + "\"\n", "a = <<X\n" + char + "\nX\n", "/* " + char + " */", "a = \"${b" + char + "}\"\n"} {
			if char == "\r" {
				text = strings.ReplaceAll(text, "\r\n", "\r \n")
			}
			found := false
			for _, d := range Scan("x", []byte(text)) {
				found = found || diag.ID(d) == "forbidden_character" && strings.Contains(d.Detail, want)
			}
			if !found {
				t.Errorf("%q: nothing says %q: %v", text, want, Scan("x", []byte(text)))
			}
		}
	}
}

// TestLookAlikes: a word of Latin letters and others that look like them is not
// what it seems to be.
func TestLookAlikes(t *testing.T) {
	for text, want := range map[string]string{
		"a = \"DELETE FROM us\u0435rs\"\n":              "U+0435 (CYRILLIC SMALL LETTER IE)",
		"a = <<X\nrm -rf /d\u0430ta\nX\n":               "U+0430 (CYRILLIC SMALL LETTER A)",
		"# step.b\u0430ckup comes first\n":              "U+0430 (CYRILLIC SMALL LETTER A)",
		"a = \"\u039fK\"\n":                             "U+039F (GREEK CAPITAL LETTER OMICRON)",
		"a = \"r\uff4d\"\n":                             "U+FF4D (FULLWIDTH LATIN SMALL LETTER M)",
		"a = \"\U0001d42bm\"\n":                         "U+1D42B (MATHEMATICAL BOLD SMALL R)",
		"a = \"usdcop_m5_\u043ehlcv\"\n":                "U+043E (CYRILLIC SMALL LETTER O)",
		"a = \"pg_\u0441tl\"":                           "U+0441 (CYRILLIC SMALL LETTER ES)",
		"a = \"100%\" # us\u0435rs\n":                   "U+0435",
		"a = \"\\\\us\u0435r\"\n":                       "U+0435",
		"a = \"пользователи таблицы users\"\n":          "",
		"a = \"\\nПривет, \\u00e9тот %s, %5dй дней\"\n": "",
		"a = \"[A-Za-zА-Яа-яё]+\"\n":                    "",
		"a = \"\\\\dй \\\\wя\"\n":                       "",
		"a = \"700µs, 5μs, Δt, été, naïve, 東京2号, ½\"\n": "",
		"a = \"${b}й ⚠️ ✓ → 👍 “quoted” – dash\"\n":      "",
		"a = \"sınır Übergröße Łódź\"\n":                "",
	} {
		diags := Scan("x", []byte(text))
		switch {
		case want == "" && len(diags) > 0:
			t.Errorf("%q: %s", text, diags[0].Detail)
		case want != "" && (len(diags) != 1 || diag.ID(diags[0]) != "forbidden_character" || !strings.Contains(diags[0].Detail, want)):
			t.Errorf("%q: %v, want %s", text, diags, want)
		}
	}
}
