package redact

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

var (
	percent = regexp.MustCompile(`%[0-9A-F]{2}`)
	special = regexp.MustCompile(`[^A-Za-z0-9_./:@%+=,-]`)
)

// variants are the forms in which a secret comes back from programs: as it is,
// and as they quote and encode it. Some are equal.
func variants(secret string) []string {
	query, path := url.QueryEscape(secret), url.PathEscape(secret)
	list := []string{
		secret,
		strings.TrimSpace(secret),
		hex.EncodeToString([]byte(secret)),
		strings.ToUpper(hex.EncodeToString([]byte(secret))),
		query, percent.ReplaceAllStringFunc(query, strings.ToLower),
		path, percent.ReplaceAllStringFunc(path, strings.ToLower),
		url.User(secret).String(),
		inner(strconv.Quote(secret)),
		inner(strconv.QuoteToASCII(secret)),
		strings.ReplaceAll(secret, `'`, `'\''`),
		strings.ReplaceAll(secret, `'`, `'"'"'`),
		strings.ReplaceAll(secret, `'`, `''`),
		strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(secret),
		strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(secret),
		special.ReplaceAllString(secret, `\$0`),
	}
	if quoted, err := json.Marshal(secret); err == nil {
		list = append(list, inner(string(quoted)), strings.ReplaceAll(inner(string(quoted)), "/", `\/`))
	}
	var plain strings.Builder
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(secret) == nil {
		list = append(list, inner(strings.TrimSpace(plain.String())))
	}
	return append(list, base64Variants(secret)...)
}

func inner(quoted string) string { return quoted[1 : len(quoted)-1] }

// base64Variants are the characters that the secret alone determines when it
// stands in a longer text that is encoded, for each of the three alignments.
func base64Variants(secret string) []string {
	var list []string
	for offset := range 3 {
		padded := append(make([]byte, offset), secret...)
		from := (offset*8 + 5) / 6
		to := len(padded) * 8 / 6
		for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			list = append(list, encoding.EncodeToString(padded)[from:to])
		}
	}
	return list
}
