package git

import (
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// description completes what an action says of itself: its command is git's
// arguments, and hooks may do anything.
func (p *provider) description(w Where, call *sdk.Call, d sdk.Description) sdk.Description {
	if call.Unknown("repo") {
		d.Effects, d.Undeclared = nil, true
	}
	if p.config.Hooks {
		d.Effects, d.Undeclared = nil, true
	}
	program := []string{p.config.Git}
	if dir := p.dir(w); dir != "" && !call.Unknown("repo") {
		program = append(program, "-C", dir)
	}
	d.Command = append(program, d.Command...)
	return d
}

// tree is the effect on the whole work tree, the repository in it included.
func (p *provider) tree(w Where, mode schema.Mode) schema.Effect {
	return schema.Effect{Resource: fileURL(p.dir(w)), Mode: mode}
}

// repositoryEffect is the effect on the repository alone.
func (p *provider) repositoryEffect(w Where) schema.Effect {
	return schema.Effect{Resource: fileURL(p.dir(w), ".git"), Mode: schema.Write}
}
