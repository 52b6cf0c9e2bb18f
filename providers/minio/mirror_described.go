package minio

import (
	"fmt"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func (p *provider) describeMirror(args mirrorArgs, call *sdk.Call) sdk.Description {
	d := p.describeTransfer("mirrors", args.From, args.To, args.Overwrite, args.Remove, call)
	if call.Unknown("from") || call.Unknown("to") {
		return d
	}
	if d.Failure = p.checkMirror(args); d.Failure != nil || call.Unknown("overwrite") || call.Unknown("remove") {
		return d
	}
	d.Command = []string{"mc", "mirror"}
	if args.Overwrite {
		d.Command = append(d.Command, "--overwrite")
	}
	if args.Remove {
		d.Command = append(d.Command, "--remove")
	}
	d.Command = append(d.Command, p.mc(args.From), p.mc(args.To))
	return d
}

func (p *provider) describeCopy(args copyArgs, call *sdk.Call) sdk.Description {
	d := p.describeTransfer("copies", args.From, args.To, args.Overwrite, false, call)
	if call.Unknown("from") || call.Unknown("to") {
		return d
	}
	if d.Failure = p.ends(args.From, args.To); d.Failure != nil || call.Unknown("older_than") {
		return d
	}
	d.Command = []string{"mc", "cp"}
	if args.From.Object == "" {
		d.Command = append(d.Command, "--recursive")
	}
	if args.OlderThan != nil {
		d.Command = append(d.Command, "--older-than", ago(*args.OlderThan))
	}
	d.Command = append(d.Command, p.mc(args.From), p.mc(args.To))
	return d
}

// describeTransfer says what is read and written. What may write over or remove
// counts as destructive until a preview has looked.
func (p *provider) describeTransfer(verb string, from, to Place, overwrite, remove bool, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Destructive: overwrite || remove || call.Unknown("overwrite") || call.Unknown("remove"),
		Summary:     fmt.Sprintf("%s %s to %s", verb, from, to),
	}
	if call.Unknown("to") {
		d.Undeclared, d.Summary = true, verb+" objects"
		return d
	}
	d.Effects = p.touches(from, to, d.Destructive)
	if call.Unknown("from") {
		d.Effects, d.Summary = d.Effects[1:], fmt.Sprintf("%s objects to %s", verb, to)
	}
	return d
}

// touches are the effects of a copy: what is read, and what is written.
func (p *provider) touches(from, to Place, destroys bool) []schema.Effect {
	mode := schema.Write
	if destroys {
		mode = schema.Delete
	}
	return []schema.Effect{{Resource: p.resource(from), Mode: schema.Read}, {Resource: p.resource(to), Mode: mode}}
}
