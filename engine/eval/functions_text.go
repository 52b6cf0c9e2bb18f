package eval

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// textFunc is a function from a string to a string that cannot fail.
func textFunc(doc string, impl func(string) string) function.Function {
	return fallibleTextFunc(doc, func(s string) (string, error) { return impl(s), nil })
}

func fallibleTextFunc(doc string, impl func(string) (string, error)) function.Function {
	return function.New(&function.Spec{
		Description: doc,
		Params:      []function.Parameter{{Name: "string", Type: cty.String}},
		Type:        function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, err := impl(args[0].AsString())
			if err != nil {
				return cty.UnknownVal(cty.String), function.NewArgError(0, err)
			}
			return cty.StringVal(s), nil
		},
	})
}

// affixFunc is a question about two strings.
func affixFunc(doc string, impl func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Description: doc,
		Params:      []function.Parameter{{Name: "string", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:        function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(impl(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func hasPrefix(s, part string) bool { return strings.HasPrefix(s, part) }
func hasSuffix(s, part string) bool { return strings.HasSuffix(s, part) }
func contains(s, part string) bool  { return strings.Contains(s, part) }

func base64encode(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
func urlencode(s string) string    { return url.QueryEscape(s) }
func basename(s string) string     { return path.Base(s) }
func dirname(s string) string      { return path.Dir(s) }

func md5hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func sha1hex(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func sha256hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func sha512hex(s string) string {
	sum := sha512.Sum512([]byte(s))
	return hex.EncodeToString(sum[:])
}

func base64sha256(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func base64sha512(s string) string {
	sum := sha512.Sum512([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func base64decodeFunc() function.Function {
	return fallibleTextFunc("The text that a base64 string holds.", func(s string) (string, error) {
		b, err := base64.StdEncoding.DecodeString(s)
		switch {
		case err != nil:
			return "", errors.New("this is not base64")
		case !utf8.Valid(b):
			return "", errors.New("what it holds is not text in UTF-8")
		}
		return string(b), nil
	})
}

func urldecodeFunc() function.Function {
	return fallibleTextFunc("The text that an escaped part of a URL's query holds.", func(s string) (string, error) {
		text, err := url.QueryUnescape(s)
		if err != nil || !utf8.ValidString(text) {
			return "", errors.New("this is not text escaped for a URL")
		}
		return text, nil
	})
}

// shellquote is the string as one word of a POSIX shell.
func shellquote(s string) string {
	plain := s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("_-./:=@%+,", r))
	}) < 0
	if plain {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func sqlquoteFunc() function.Function {
	return fallibleTextFunc("The string as a quoted SQL identifier.", func(s string) (string, error) {
		switch {
		case s == "":
			return "", errors.New("an identifier is not empty")
		case strings.ContainsRune(s, 0):
			return "", errors.New("an identifier holds no NUL character")
		}
		return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`, nil
	})
}

// replaceFunc replaces a substring, or what matches where the substring is
// written /…/.
func replaceFunc() function.Function {
	return function.New(&function.Spec{
		Description: "The string with every occurrence replaced; a substring written /…/ is a regular expression.",
		Params: []function.Parameter{
			{Name: "string", Type: cty.String}, {Name: "substring", Type: cty.String}, {Name: "replacement", Type: cty.String},
		},
		Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			s, old, replacement := args[0].AsString(), args[1].AsString(), args[2].AsString()
			if len(old) > 1 && strings.HasPrefix(old, "/") && strings.HasSuffix(old, "/") {
				if len(s)*(len(replacement)+1) > maxBytes*4 {
					return cty.UnknownVal(cty.String), errors.New("the result may be larger than 8 MiB")
				}
				pattern := old[1 : len(old)-1]
				if err := everyBound(pattern, s); err != nil {
					return cty.UnknownVal(cty.String), err
				}
				return stdlib.RegexReplace(args[0], cty.StringVal(pattern), args[2])
			}
			if n := strings.Count(s, old); len(s)+n*(len(replacement)-len(old)) > maxBytes {
				return cty.UnknownVal(cty.String), errors.New("the result is larger than 8 MiB")
			}
			return cty.StringVal(strings.ReplaceAll(s, old, replacement)), nil
		},
	})
}
