package engine

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// step is a step of a runbook that is being made worse.
type step struct {
	file  *hclwrite.Body
	block *hclwrite.Block
}

func (s step) name() string { return s.block.Labels()[0] }

func (s step) action() *hclwrite.Block { return first(s.block.Body(), "action") }

// does is the step's action, such as exec.run, or empty.
func (s step) does() string {
	if s.action() == nil {
		return ""
	}
	return s.action().Labels()[0]
}

// has tells whether the step has one of these arguments or blocks.
func (s step) has(names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool {
		return s.block.Body().GetAttribute(name) != nil || first(s.block.Body(), name) != nil
	})
}

// is tells whether the step's text holds another.
func (s step) is(text string) bool {
	return strings.Contains(string(s.block.BuildTokens(nil).Bytes()), text)
}

// rollsBack tells whether a failure of the runbook takes the step back.
func (s step) rollsBack() bool {
	policy := first(s.file, "runbook").Body().GetAttribute("on_failure")
	return policy != nil && expression(policy) == `"rollback"` && !s.has("point_of_no_return", "always")
}

// drop takes arguments and blocks away, and tells whether there were any.
func (s step) drop(names ...string) bool {
	dropped := false
	for _, name := range names {
		dropped = s.block.Body().RemoveAttribute(name) != nil || dropped
		for b := first(s.block.Body(), name); b != nil; b = first(s.block.Body(), name) {
			dropped = s.block.Body().RemoveBlock(b)
		}
	}
	return dropped
}

// first is the first block of a type in a body, or nil.
func first(body *hclwrite.Body, kind string) *hclwrite.Block {
	for _, b := range body.Blocks() {
		if b.Type() == kind {
			return b
		}
	}
	return nil
}

// parse reads text that this file wrote itself.
func parse(text string) *hclwrite.File {
	file, diags := hclwrite.ParseConfig([]byte(text), "made", hcl.InitialPos)
	if diags.HasErrors() {
		panic(diags.Error() + ":\n" + text)
	}
	return file
}

// give gives a block's argument an expression.
func give(b *hclwrite.Block, name, text string) bool {
	b.Body().SetAttributeRaw(name, parse("x = "+text+"\n").Body().GetAttribute("x").Expr().BuildTokens(nil))
	return true
}

// add appends a block that is written out to a block.
func add(b *hclwrite.Block, text string) bool {
	b.Body().AppendBlock(parse(text + "\n").Body().Blocks()[0])
	return true
}

// appendText puts text at the end of a file.
func appendText(file *hclwrite.Body, text string) bool {
	file.AppendUnstructuredTokens(parse("\n" + text + "\n").BuildTokens(nil))
	return true
}

// expression is what an argument is given.
func expression(attr *hclwrite.Attribute) string {
	return strings.TrimSpace(string(attr.Expr().BuildTokens(nil).Bytes()))
}

// asks tells whether an assertion looks at something of its own.
func asks(a *hclwrite.Block) bool {
	return first(a.Body(), "probe") != nil || a.Body().GetAttribute("check") != nil
}

// ask has an assertion look by a program, whose exit code is all that counts.
func ask(a *hclwrite.Block, program string) bool {
	for _, name := range []string{"check", "assert", "message"} {
		a.Body().RemoveAttribute(name)
	}
	if probe := first(a.Body(), "probe"); probe != nil {
		a.Body().RemoveBlock(probe)
	}
	return add(a, "probe \"exec.run\" {\n  "+program+"\n}")
}

// command has exec.run start something else.
func command(op *hclwrite.Block, program string) bool {
	for _, name := range []string{"argv", "script", "interpreter"} {
		op.Body().RemoveAttribute(name)
	}
	made := parse(program + "\n").Body()
	for name, attr := range made.Attributes() {
		give(op, name, expression(attr))
	}
	return true
}

// visit lists the blocks of one of some types, inside others too.
func visit(body *hclwrite.Body, kinds ...string) []*hclwrite.Block {
	var found []*hclwrite.Block
	for _, b := range body.Blocks() {
		if slices.Contains(kinds, b.Type()) {
			found = append(found, b)
		}
		found = append(found, visit(b.Body(), kinds...)...)
	}
	return found
}

// eachBlock tries every block of a type.
func eachBlock(kind string, worsen func(*hclwrite.Block) bool) func(*hclwrite.Body) []change {
	return eachOf([]string{kind}, worsen)
}

func eachOf(kinds []string, worsen func(*hclwrite.Block) bool) func(*hclwrite.Body) []change {
	return func(file *hclwrite.Body) []change {
		var sites []change
		for _, b := range visit(file, kinds...) {
			sites = append(sites, func() (bool, string) { return worsen(b), "" })
		}
		return sites
	}
}

// eachAssertion tries every check, precondition, goal and verify.
func eachAssertion(worsen func(*hclwrite.Block) bool) func(*hclwrite.Body) []change {
	return eachOf([]string{"check", "precondition", "goal", "verify"}, worsen)
}

// eachProof tries every goal and verify.
func eachProof(worsen func(*hclwrite.Block) bool) func(*hclwrite.Body) []change {
	return eachOf([]string{"goal", "verify"}, worsen)
}

// eachOperation tries every probe and action whose name begins so.
func eachOperation(prefix string, worsen func(*hclwrite.Block) bool) func(*hclwrite.Body) []change {
	return eachOf([]string{"probe", "action"}, func(b *hclwrite.Block) bool {
		return strings.HasPrefix(b.Labels()[0], prefix) && worsen(b)
	})
}

// eachStep tries every step.
func eachStep(worsen func(step) bool) func(*hclwrite.Body) []change {
	return func(file *hclwrite.Body) []change {
		var sites []change
		for _, b := range visit(file, "step") {
			sites = append(sites, func() (bool, string) { return worsen(step{file, b}), "" })
		}
		return sites
	}
}

// eachStepAssertion tries every assertion of every step, not those of rollbacks.
func eachStepAssertion(worsen func(step, *hclwrite.Block) bool) func(*hclwrite.Body) []change {
	return func(file *hclwrite.Body) []change {
		var sites []change
		for _, b := range visit(file, "step") {
			for _, a := range b.Body().Blocks() {
				if !slices.Contains([]string{"precondition", "goal", "verify"}, a.Type()) {
					continue
				}
				sites = append(sites, func() (bool, string) { return worsen(step{file, b}, a), "" })
			}
		}
		return sites
	}
}

// eachFirstStep tries the first step of a runbook that has any.
func eachFirstStep(worsen func(step) bool) func(*hclwrite.Body) []change {
	return func(file *hclwrite.Body) []change {
		sites := eachStep(worsen)(file)
		return sites[:min(len(sites), 1)]
	}
}

// once tries the file as a whole.
func once(worsen func(*hclwrite.Body) bool) func(*hclwrite.Body) []change {
	return func(file *hclwrite.Body) []change {
		return []change{func() (bool, string) { return worsen(file), "" }}
	}
}

// besideEach makes a second runbook of the first for every step, and changes that
// step in it. Both are started at three.
func besideEach(worsen func(step) bool) func(*hclwrite.Body) []change {
	return func(file *hclwrite.Body) []change {
		var sites []change
		for i := range visit(file, "step") {
			sites = append(sites, func() (bool, string) {
				give(first(file, "runbook"), "labels", `{ schedule = "0 3 * * *" }`)
				twin := parse(string(file.BuildTokens(nil).Bytes()))
				first(twin.Body(), "runbook").SetLabels([]string{"beside"})
				done := worsen(step{twin.Body(), visit(twin.Body(), "step")[i]})
				return done, string(hclwrite.Format(twin.Bytes()))
			})
		}
		return sites
	}
}
