package email

import (
	"bytes"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// address reads one address of an argument.
func address(argument, said string) (*mail.Address, *schema.Failure) {
	a, err := mail.ParseAddress(said)
	if err != nil || strings.ContainsFunc(said, unicode.IsControl) {
		return nil, sdk.InvalidArgument(argument, "%q is no mail address such as ana@example.com", said)
	}
	return a, nil
}

// letter is a message with its addresses read.
type letter struct {
	from    *mail.Address
	to, cc  []*mail.Address
	replyTo *mail.Address // nil: the sender
	subject string
	text    string
	key     string
	date    time.Time
}

// recipients are all that get it, each once.
func (l *letter) recipients() []string {
	var all []string
	seen := map[string]bool{}
	for _, list := range [][]*mail.Address{l.to, l.cc} {
		for _, a := range list {
			if key := strings.ToLower(a.Address); !seen[key] {
				seen[key] = true
				all = append(all, a.Address)
			}
		}
	}
	return all
}

// bytes is the message as it is sent.
func (l *letter) bytes() []byte {
	var b bytes.Buffer
	header := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\r\n", name, value)
		}
	}
	header("From", l.from.String())
	header("To", list(l.to))
	header("Cc", list(l.cc))
	if l.replyTo != nil {
		header("Reply-To", l.replyTo.String())
	}
	header("Subject", mime.QEncoding.Encode("utf-8", l.subject))
	header("Date", l.date.Format(time.RFC1123Z))
	if l.key != "" {
		_, domain, _ := strings.Cut(l.from.Address, "@")
		header("Message-ID", "<"+l.key+"@"+domain+">")
	}
	header("Auto-Submitted", "auto-generated")
	header("MIME-Version", "1.0")
	header("Content-Type", "text/plain; charset=utf-8")
	header("Content-Transfer-Encoding", "quoted-printable")
	b.WriteString("\r\n")
	text := quotedprintable.NewWriter(&b)
	_, _ = text.Write([]byte(l.text)) // a buffer takes everything
	_ = text.Close()
	b.WriteString("\r\n")
	return b.Bytes()
}

func list(addresses []*mail.Address) string {
	said := make([]string, len(addresses))
	for i, a := range addresses {
		said[i] = a.String()
	}
	return strings.Join(said, ",\r\n ")
}
