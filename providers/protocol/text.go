package protocol

import (
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
)

// maxText bounds one text of an outcome or description; the middle goes.
const maxText = 256 << 10

// valid is text that protobuf will carry. It is cut between words: the engine
// finds a secret only where all of it is there.
func valid(s string) string {
	if len(s) > maxText {
		head, tail := s[:maxText/2], s[len(s)-maxText/2:]
		head = head[:1+strings.LastIndexAny(head, " \t\n")]
		if i := strings.IndexAny(tail, " \t\n"); i >= 0 {
			tail = tail[i:]
		} else {
			tail = ""
		}
		s = head + "…" + tail
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

func validUTF8(list []string) []string {
	var all []string
	for _, s := range list {
		all = append(all, valid(s))
	}
	return all
}

// cutLine is a log line within its limit and the bytes that were left out.
func cutLine(s string) (string, int64) {
	if len(s) <= MaxLogLine {
		return strings.ToValidUTF8(s, "\uFFFD"), 0
	}
	end := MaxLogLine
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return strings.ToValidUTF8(s[:end], "\uFFFD"), int64(len(s) - end)
}

func decodeUnmarked(w *wire.Value) (cty.Value, error) {
	v, err := decodeValue(w)
	if err != nil || v == cty.NilVal {
		return v, err
	}
	v, _ = v.UnmarkDeep()
	return v, nil
}
