package runbook

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/engine/diag"
)

// Block is a word of the language that takes a body: what the decoder accepts
// there, and what the reference says of it. The tables in words_*.go are the
// one list of words there is.
type Block struct {
	Name      string
	Label     string // what its label says; empty: it takes none
	Doc       string // what it is for, in Markdown
	Example   string // as it stands in its place, its own indentation taken off
	Arguments []Argument
	Blocks    []*Block
	Shares    *Block // another whose arguments and blocks it takes as well, or nil
	Open      string // what else it takes that the language cannot know; empty: nothing
}

// Argument is a word of the language that takes a value.
type Argument struct {
	Name     string
	Type     string   // what it takes, in the reference's words
	Choices  []string // the words it may be; empty: it is not one of a few
	Default  string   // as it would be written, or in Markdown where it cannot be; empty: none
	Required bool
	Doc      string
	Example  string // as it stands in its block
}

// Language is the language of runbooks: what a runbook's own file may hold.
// Every other word is found from there. It is not to be changed.
func Language() *Block { return fileBlock }

// args lists the names of the arguments that a block takes.
func (b *Block) args() []string {
	var names []string
	for _, a := range b.Arguments {
		names = append(names, a.Name)
	}
	if b.Shares != nil {
		names = append(names, b.Shares.args()...)
	}
	return names
}

// blocks lists the names of the blocks that a block takes.
func (b *Block) blocks() []string {
	var names []string
	for _, inner := range b.Blocks {
		names = append(names, inner.Name)
	}
	if b.Shares != nil {
		names = append(names, b.Shares.blocks()...)
	}
	return names
}

// argument is one of the block's own arguments; a name that it does not take is
// a bug.
func (b *Block) argument(name string) Argument {
	for _, a := range b.Arguments {
		if a.Name == name {
			return a
		}
	}
	panic("runbook: a " + b.Name + " has no argument " + name)
}

// checkWords reports every word in body that does not belong into the block.
func (l *loader) checkWords(body *hclsyntax.Body, b *Block) {
	args, blocks := b.args(), b.blocks()
	for _, attr := range SortedAttributes(body) {
		if !slices.Contains(args, attr.Name) && !l.diags.Full() {
			l.add(unknownArgument(attr, b))
		}
	}
	for _, block := range body.Blocks {
		if !slices.Contains(blocks, block.Type) && !l.diags.Full() {
			l.add(unknownBlock(block, b))
		}
	}
}

func unknownArgument(attr *hclsyntax.Attribute, b *Block) *hcl.Diagnostic {
	if slices.Contains(b.blocks(), attr.Name) {
		return diag.WrongShape.At(attr.NameRange, "%q is a block: write %s { … } without the equals sign.", attr.Name, attr.Name)
	}
	d := diag.UnknownArgument.At(attr.NameRange, "%s has no argument %q.", article(b.Name), attr.Name)
	return suggestWord(d, attr.Name, b.args())
}

func unknownBlock(block *hclsyntax.Block, b *Block) *hcl.Diagnostic {
	if slices.Contains(b.args(), block.Type) {
		return diag.WrongShape.At(block.TypeRange, "%q is an argument: write %s = … with an equals sign.", block.Type, block.Type)
	}
	d := diag.UnknownBlock.At(block.TypeRange, "%s has no block %q.", article(b.Name), block.Type)
	return suggestWord(d, block.Type, b.blocks())
}

// suggestWord adds the nearest of the words there are, or else all of them.
func suggestWord(d *hcl.Diagnostic, said string, words []string) *hcl.Diagnostic {
	if near := diag.Nearest(said, words); near != "" {
		return diag.Suggest(d, near)
	}
	if len(words) > 0 {
		d.Detail += fmt.Sprintf(" It takes %s.", list(words, "and"))
	}
	return d
}

// written is a duration as an author would write it.
func written(d time.Duration) string {
	said := d.String()
	if strings.HasSuffix(said, "m0s") {
		said = strings.TrimSuffix(said, "0s")
	}
	return strconv.Quote(said)
}

// SortedAttributes lists the arguments of a body in source order.
func SortedAttributes(body *hclsyntax.Body) []*hclsyntax.Attribute {
	attrs := make([]*hclsyntax.Attribute, 0, len(body.Attributes))
	for _, a := range body.Attributes {
		attrs = append(attrs, a)
	}
	slices.SortFunc(attrs, func(a, b *hclsyntax.Attribute) int { return a.NameRange.Start.Byte - b.NameRange.Start.Byte })
	return attrs
}

// article puts the indefinite article before a block's name.
func article(kind string) string {
	if strings.ContainsRune("aeio", rune(kind[0])) {
		return "An " + kind
	}
	return "A " + kind
}

// list joins words for a sentence.
func list(words []string, last string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " " + last + " " + words[len(words)-1]
}
