package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/runbook-engine/runbook/engine/event"
)

// Format is the version of the journal format that this package writes, and the
// only one that it reads.
const Format = 1

// maxGroup bounds a group, its seal line included, and so the memory that a
// reader needs. An outcome of 8 MiB, every byte of it escaped, fits twice.
const maxGroup = 128 << 20

// records are encoded events, a line each.
type records struct {
	bytes []byte
	ends  []int // of each line in bytes, behind its newline
}

func (r *records) add(more records) {
	for _, end := range more.ends {
		r.ends = append(r.ends, len(r.bytes)+end)
	}
	r.bytes = append(r.bytes, more.bytes...)
}

// line returns record i without its newline.
func (r records) line(i int) []byte {
	return r.bytes[r.start(i) : r.ends[i]-1]
}

func (r records) start(i int) int {
	if i == 0 {
		return 0
	}
	return r.ends[i-1]
}

func encode(events []event.Event) (records, error) {
	var out records
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	for i := range events {
		if err := enc.Encode(&events[i]); err != nil {
			return records{}, fmt.Errorf("encode event %d: %w", events[i].Seq, err)
		}
		out.ends = append(out.ends, buf.Len())
	}
	if buf.Len() > maxGroup/2 {
		return records{}, &TooLargeError{Bytes: buf.Len(), Limit: maxGroup / 2}
	}
	out.bytes = buf.Bytes()
	return out, nil
}

// seal closes a group. Its line is the only one in a journal that begins with
// sealPrefix, since every event begins with its format version.
type seal struct {
	Format int      `json:"format"`
	Group  int64    `json:"group"`  // from 1
	CRC32C []string `json:"crc32c"` // of each record, so that the bad one can be named
	SHA256 string   `json:"sha256"` // over the previous seal's 64 digits and the records with their newlines
}

const sealPrefix = `{"seal":`

// genesis stands for the seal before the first.
var genesis = strings.Repeat("0", hex.EncodedLen(sha256.Size))

func sealOf(previous string, group int64, r records) seal {
	if previous == "" {
		previous = genesis
	}
	table := crc32.MakeTable(crc32.Castagnoli)
	sums := make([]string, len(r.ends))
	for i := range r.ends {
		sums[i] = fmt.Sprintf("%08x", crc32.Checksum(r.line(i), table))
	}
	h := sha256.New()
	h.Write([]byte(previous))
	h.Write(r.bytes)
	return seal{Format: Format, Group: group, CRC32C: sums, SHA256: hex.EncodeToString(h.Sum(nil))}
}

// line is the seal as it stands in the file, to the byte.
func (s seal) line() []byte {
	body, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return slices.Concat([]byte(sealPrefix), body, []byte("}\n"))
}

func isSeal(line []byte) bool { return bytes.HasPrefix(line, []byte(sealPrefix)) }

// parseSeal reads a seal line that is not as it should be, to say why.
func parseSeal(line []byte) (seal, bool) {
	var s seal
	body, ok := bytes.CutSuffix(line[len(sealPrefix):], []byte("}\n"))
	if !ok || json.Unmarshal(body, &s) != nil {
		return seal{}, false
	}
	return s, true
}
