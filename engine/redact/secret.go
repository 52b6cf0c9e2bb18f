package redact

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret carries a secret text. However it is printed, logged or encoded, it
// says (sensitive); only Reveal gives the text.
type Secret struct{ text string }

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal is the text itself.
func (s Secret) Reveal() string { return s.text }

// String implements fmt.Stringer.
func (Secret) String() string { return Text }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return Text }

// Format implements fmt.Formatter, for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, Text) }

// MarshalJSON implements json.Marshaler.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + Text + `"`), nil }

// MarshalText implements encoding.TextMarshaler, for map keys too.
func (Secret) MarshalText() ([]byte, error) { return []byte(Text), nil }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(Text) }
