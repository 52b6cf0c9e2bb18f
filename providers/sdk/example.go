package sdk

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Examples are blocks of HCL by what they show.
type Examples struct{ blocks map[string]string }

// ReadExamples takes a text of blocks such as
//
//	# Says what it is for.
//	probe "redis.get" {
//	  key = "mode"
//	}
//
// each as it stands in a step, with the comment above it. Of one probe or action
// the first counts.
func ReadExamples(text string) (Examples, error) {
	file, diags := hclsyntax.ParseConfig([]byte(text), "examples.hcl", hcl.InitialPos)
	if diags.HasErrors() {
		return Examples{}, fmt.Errorf("read the examples: %w", diags)
	}
	e := Examples{blocks: map[string]string{}}
	end := 0
	for _, block := range file.Body.(*hclsyntax.Body).Blocks {
		if len(block.Labels) != 1 {
			return Examples{}, fmt.Errorf("read the examples: line %d: a block has one label, such as \"redis.get\"", block.TypeRange.Start.Line)
		}
		last := block.CloseBraceRange.End.Byte
		key := block.Type + " " + block.Labels[0]
		if e.blocks[key] == "" {
			e.blocks[key] = strings.TrimSpace(text[end:last])
		}
		end = last
	}
	return e, nil
}

// Of is the block that shows a probe or action of a provider; empty: none.
func (e Examples) Of(provider string, kind schema.Kind, operation string) string {
	return e.blocks[string(kind)+" "+provider+"."+operation]
}
