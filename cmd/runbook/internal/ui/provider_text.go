package ui

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/providers/schema"
)

// ThirdParty is a provider of another party that is installed, pinned or both.
type ThirdParty struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"` // as pinned
	Trust   string `json:"trust"`             // pinned, not pinned, changed, missing or hidden
	Path    string `json:"path,omitempty"`
	SHA256  string `json:"sha256,omitempty"` // of the file
}

// trustText says what trust means to whoever wants to use the provider.
func (t ThirdParty) trustText() string {
	switch t.Trust {
	case "not pinned":
		return "it is not run; if you trust it, pin it with `runbook providers lock " + t.Name + "`"
	case "changed":
		return "it is not run: the file is not the one that was pinned; if you trust the new one, run `runbook providers lock " + t.Name + "`"
	case "missing":
		return "it is pinned and not installed"
	case "hidden":
		return "it is not run: a bundled provider has its name"
	}
	return ""
}

// WriteProviders lists providers, one a line, and what is known of those of
// other parties.
func WriteProviders(w io.Writer, style Style, providers []*schema.Provider, others []ThirdParty) error {
	p := &page{style: style}
	width := 0
	for _, provider := range providers {
		width = max(width, utf8.RuneCountInString(provider.Name))
	}
	for _, provider := range providers {
		p.linef("%s  %s  %s", p.paint(bold, pad(provider.Name, width)), p.paint(dim, pad(provider.Version, 8)), provider.Doc)
	}
	for _, other := range others {
		p.blank()
		p.linef("%s  %s  %s", p.paint(bold, other.Name), p.paint(dim, cmp.Or(other.Version, "-")), other.Trust)
		p.field(2, "file", other.Path)
		p.field(2, "sha256", other.SHA256)
		p.field(2, "trust", other.trustText())
	}
	return p.flush(w)
}

// WriteProvider writes what a provider takes and gives: its configuration, its
// probes and its actions.
func WriteProvider(w io.Writer, style Style, provider *schema.Provider, examples Examples) error {
	p := &page{style: style}
	p.linef("%s  %s", p.paint(bold, provider.Name), p.paint(dim, provider.Version))
	p.paragraph(2, provider.Doc)
	if len(provider.Config.Attributes) > 0 {
		p.heading("Configuration")
		p.attributes(2, provider.Config)
	}
	for _, operation := range provider.Operations {
		p.operationSchema(provider.Name, &operation, examples)
	}
	return p.flush(w)
}

// WriteOperations writes a provider's probes and actions alone.
func WriteOperations(w io.Writer, style Style, provider *schema.Provider, examples Examples) error {
	p := &page{style: style}
	for _, operation := range provider.Operations {
		p.operationSchema(provider.Name, &operation, examples)
	}
	return p.flush(w)
}

func (p *page) operationSchema(provider string, o *schema.OperationSchema, examples Examples) {
	p.blank()
	p.linef("%s %s", p.paint(dim, string(o.Kind)), p.paint(bold, provider+"."+o.Name))
	p.paragraph(2, o.Doc)
	if o.Kind == schema.Action {
		p.field(2, "unknown", settlingText(o.Settling))
		if o.MayDestroy {
			p.field(2, "danger", "some arguments make it destructive: a person is asked first")
		}
		if o.Asks {
			p.field(2, "asks", "a person, and acts on the answer")
		}
		p.field(2, "limit", strings.Join(o.Counts, ", "))
		p.field(2, "enforces", strings.Join(o.Enforces, ", "))
	}
	if len(o.Arguments.Attributes) > 0 {
		p.linef("  %s", p.paint(dim, "takes"))
		p.attributes(4, o.Arguments)
	}
	p.linef("  %s", p.paint(dim, "gives"))
	p.attributes(4, given(o.Result))
	if text := examples.Of(provider, o.Kind, o.Name); text != "" {
		p.linef("  %s", p.paint(dim, "example"))
		for line := range strings.Lines(text) {
			p.linef("    %s", strings.TrimRight(line, "\n"))
		}
	}
}

// given is a result without what says how an argument is to be given.
func given(object schema.Object) schema.Object {
	attributes := slices.Clone(object.Attributes)
	for i := range attributes {
		attributes[i].Required, attributes[i].Default = false, ""
	}
	return schema.Object{Attributes: attributes}
}

func (p *page) attributes(indent int, object schema.Object) {
	width := 0
	for _, a := range object.Attributes {
		width = max(width, utf8.RuneCountInString(a.Name))
	}
	for _, a := range object.Attributes {
		head := p.paint(cyan, pad(a.Name, width)) + "  "
		p.hanging(indent, head, width+2, attributeText(a))
	}
}

// attributeText is "number, required. What it is." or the like.
func attributeText(a schema.Attribute) string {
	return typeText(a.Type) + attributeTraits(a) + ". " + a.Doc
}

func attributeTraits(a schema.Attribute) string {
	traits := ""
	if a.Required {
		traits += ", required"
	}
	if a.Default != "" {
		traits += ", default " + a.Default
	}
	if a.Sensitive {
		traits += ", sensitive"
	}
	return traits
}

// settlingText says what becomes of an attempt whose outcome nobody saw.
func settlingText(s schema.Settling) string {
	switch s {
	case schema.Idempotent:
		return "an unknown outcome is settled by doing it again, which is harmless"
	case schema.Keyed:
		return "an unknown outcome is settled by doing it again: the backend refuses a second one"
	case schema.Observed:
		return "an unknown outcome is settled by looking in the backend"
	default:
		return "an unknown outcome is settled by a person, where no goal tells"
	}
}

// typeText writes a type as a runbook would: list(object({ name = string })).
func typeText(t cty.Type) string {
	switch {
	case t == cty.DynamicPseudoType:
		return "any"
	case t.IsPrimitiveType():
		return t.FriendlyName()
	case t.IsListType():
		return "list(" + typeText(t.ElementType()) + ")"
	case t.IsSetType():
		return "set(" + typeText(t.ElementType()) + ")"
	case t.IsMapType():
		return "map(" + typeText(t.ElementType()) + ")"
	case t.IsObjectType():
		return objectText(t)
	}
	return t.FriendlyName()
}

func objectText(t cty.Type) string {
	var fields []string
	for _, name := range sortedKeys(t.AttributeTypes()) {
		field := typeText(t.AttributeType(name))
		if t.AttributeOptional(name) {
			field = "optional(" + field + ")"
		}
		fields = append(fields, fmt.Sprintf("%s = %s", name, field))
	}
	if len(fields) == 0 {
		return "object({})"
	}
	return "object({ " + strings.Join(fields, ", ") + " })"
}
