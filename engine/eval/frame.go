package eval

import (
	"context"
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/diag"
	"github.com/runbook-engine/runbook/engine/runbook"
)

// Frame is a runbook within a plan or run: the outermost one, or one that an
// instance of a step calls, with variables, checks and providers of its own.
// Frames are not changed after Link.
type Frame struct {
	Runbook   *runbook.Runbook
	Step      *runbook.Step // that calls it; nil: the outermost
	Address   string        // of that step, or of the instance of it; empty: the outermost
	Variables map[string]cty.Value
	Checks    map[string][]Instance // of checks with a for_each
	Calls     map[string]*Frame     // by the address of what calls

	order map[string][]*Frame // of Calls, by step
}

// Under is the address of a step of this frame's runbook.
func (f *Frame) Under(step string) string {
	if f.Address == "" {
		return step
	}
	return f.Address + "." + step
}

// Ref is the provider configuration that an operation's reference means in this
// frame: each frame has configurations of its own.
func (f *Frame) Ref(ref string) string {
	if f.Address == "" {
		return ref
	}
	return ref + "@" + f.Address
}

// Called lists the frames right below this one, in source order.
func (f *Frame) Called() []*Frame {
	var called []*Frame
	for _, step := range f.Runbook.Steps {
		called = append(called, f.order[step.Name]...)
	}
	return called
}

// All lists this frame and those below it, callers first, in source order.
func (f *Frame) All() []*Frame {
	all := []*Frame{f}
	for _, called := range f.Called() {
		all = append(all, called.All()...)
	}
	return all
}

// Link gives a runbook and all that it calls their variables, and finds out
// which instances there are of checks and calls: all that is known before a run.
// A variable of a file that several of them include has one value.
func Link(ctx context.Context, rb *runbook.Runbook, src Sources, run Run) (*Frame, hcl.Diagnostics) {
	src.parsed = map[string]parsed{}
	l := &linker{ctx: ctx, src: src, run: run, shared: map[string]cty.Value{}}
	root := l.frame(rb, src, nil, "")
	return root, l.diags
}

type linker struct {
	ctx    context.Context // of the one call of Link
	src    Sources
	run    Run
	shared map[string]cty.Value // by file and name
	frames int
	diags  hcl.Diagnostics
}

// maxFrames bounds what calls in for_each may multiply.
const maxFrames = 1000

func (l *linker) add(diags hcl.Diagnostics) bool {
	l.diags = append(l.diags, diags...)
	return !diags.HasErrors()
}

func (l *linker) frame(rb *runbook.Runbook, src Sources, step *runbook.Step, address string) *Frame {
	f := &Frame{Runbook: rb, Step: step, Address: address, Checks: map[string][]Instance{}, Calls: map[string]*Frame{}, order: map[string][]*Frame{}}
	var diags hcl.Diagnostics
	f.Variables, diags = Variables(rb, src)
	if !l.add(diags) {
		return f
	}
	for name, v := range rb.Variables {
		if value, ok := f.Variables[name]; ok && v.Range.Filename != rb.File {
			l.shared[v.Range.Filename+"\x00"+name] = value
		}
	}
	scope := New(rb, f.Variables, l.run, nil)
	for name, check := range rb.Checks {
		if check.ForEach != nil {
			f.Checks[name], _, diags = scope.Instances(l.ctx, check.ForEach)
			l.add(diags)
		}
	}
	for _, step := range rb.Steps {
		if step.Call != nil {
			l.calls(f, scope, step)
		}
	}
	return f
}

// calls makes the frames of one step that calls.
func (l *linker) calls(f *Frame, scope *Scope, step *runbook.Step) {
	if step.ForEach == nil {
		l.call(f, scope, step, f.Under(step.Address()), Extra{})
		return
	}
	instances, _, diags := scope.Instances(l.ctx, step.ForEach)
	if !l.add(diags) {
		return
	}
	for _, i := range instances {
		if l.frames > maxFrames {
			return
		}
		l.call(f, scope, step, f.Under(step.Instance(i.Key)), i.Extra())
	}
}

func (l *linker) call(f *Frame, scope *Scope, step *runbook.Step, address string, x Extra) {
	if l.frames++; l.frames > maxFrames {
		l.diags = append(l.diags, diag.InvalidCall.At(step.Call.Range, "With this call there are more than %d runbooks in the run: calls of calls multiply.", maxFrames))
		return
	}
	rb := step.Call.Runbook
	src := Sources{Environ: l.src.Environ, Recorded: l.src.Recorded, frame: address, called: map[string]given{}, shared: map[string]cty.Value{}, parsed: l.src.parsed}
	for _, v := range step.Call.Variables {
		value, diags := scope.Value(l.ctx, v.Value, cty.DynamicPseudoType, x)
		if l.add(diags) {
			src.called[v.Name] = given{value: value, from: fmt.Sprintf("the call of %s", address), at: v.Range.Ptr()}
		}
	}
	for name, v := range rb.Variables {
		if value, ok := l.shared[v.Range.Filename+"\x00"+name]; ok && v.Range.Filename != rb.File {
			src.shared[name] = value
		}
	}
	called := l.frame(rb, src, step, address)
	f.Calls[address] = called
	f.order[step.Name] = append(f.order[step.Name], called)
}

// With is this frame and those below it, each with its runbook changed. The
// steps of the changed runbooks must be the same.
func (f *Frame) With(change func(*runbook.Runbook) *runbook.Runbook) *Frame {
	changed := *f
	changed.Runbook = change(f.Runbook)
	changed.Calls, changed.order = make(map[string]*Frame, len(f.Calls)), make(map[string][]*Frame, len(f.order))
	for step, frames := range f.order {
		for _, inner := range frames {
			called := inner.With(change)
			changed.Calls[called.Address] = called
			changed.order[step] = append(changed.order[step], called)
		}
	}
	return &changed
}
