package redis

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"
	"github.com/zclconf/go-cty/cty"
)

// absent is the value of a key that is not there.
var absent = cty.NullVal(cty.DynamicPseudoType)

// unlessNil drops the driver's way of saying that a key does not exist.
func unlessNil(err error) error {
	if err == redis.Nil {
		return nil
	}
	return err
}

// text is a Redis string as a value; bytes that are no UTF-8 are replaced.
func text(s string) cty.Value { return cty.StringVal(strings.ToValidUTF8(s, "\uFFFD")) }

// printable is a key as people can read it: keys are bytes, and some stores
// write binary ones.
func printable(key string) string {
	strange := strings.ContainsFunc(key, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) })
	if key == "" || strange {
		return strconv.QuoteToASCII(key)
	}
	return key
}

// shorten keeps a value fit for a message.
func shorten(s string) string {
	if utf8.RuneCountInString(s) <= 80 {
		return printable(s)
	}
	return printable(string([]rune(s)[:80])) + "…"
}
