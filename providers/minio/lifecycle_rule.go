package minio

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/lifecycle"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const ruleDoc = `Sets one of a bucket's rules by its name, and leaves the others as they are: the rules are read, changed, written, and read again, since the server takes them
only all together. The server then deletes by itself what the rule says: MinIO at once what somebody lists, all else within a day or so; the preview counts what is old
enough now. Where a bucket keeps versions,
expire_days only adds delete markers, and noncurrent_days is what frees space. With absent the rule is removed. The old rule is in the result.
Doing it again is harmless.`

type ruleArgs struct {
	Bucket         string `runbook:"bucket" doc:"Name of the bucket."`
	ID             string `runbook:"id" doc:"Name of the rule."`
	Prefix         string `runbook:"prefix,optional" doc:"Beginning of the names that it is for; without one, all."`
	ExpireDays     *int   `runbook:"expire_days" doc:"Delete objects that are so many days old."`
	NoncurrentDays *int   `runbook:"noncurrent_days" doc:"Remove versions so many days after they were deleted or overwritten."`
	Enabled        bool   `runbook:"enabled" default:"true" doc:"Whether the server follows the rule."`
	Absent         bool   `runbook:"absent" default:"false" doc:"Remove the rule instead."`
}

type ruleResult struct {
	sdk.Result
	Changed  bool      `runbook:"changed" doc:"Whether anything had to be changed."`
	Previous *ruleView `runbook:"previous" doc:"The rule as it was before; null where there was none."`
	Rules    int       `runbook:"rules" doc:"How many rules the bucket has now."`
}

func (args ruleArgs) validate() *schema.Failure {
	days := args.ExpireDays != nil || args.NoncurrentDays != nil
	switch {
	case args.ID == "":
		return sdk.InvalidArgument("id", "id is empty")
	case args.Absent && days:
		return sdk.InvalidArgument("absent", "a rule that is removed takes no expire_days and noncurrent_days")
	case !args.Absent && !days:
		return sdk.InvalidArgument("expire_days", "the rule says nothing: give expire_days, noncurrent_days or both")
	case args.ExpireDays != nil && *args.ExpireDays < 1:
		return sdk.InvalidArgument("expire_days", "expire_days must be at least 1, got %d", *args.ExpireDays)
	case args.NoncurrentDays != nil && *args.NoncurrentDays < 1:
		return sdk.InvalidArgument("noncurrent_days", "noncurrent_days must be at least 1, got %d", *args.NoncurrentDays)
	}
	return nil
}

func (args ruleArgs) view() ruleView {
	return ruleView{ID: args.ID, Enabled: args.Enabled, Prefix: args.Prefix, ExpireDays: args.ExpireDays, NoncurrentDays: args.NoncurrentDays}
}

// equal compares rules by what would be sent of them.
func equal(a, b lifecycle.Rule) bool {
	one, err := xml.Marshal(a)
	two, failed := xml.Marshal(b)
	return err == nil && failed == nil && string(one) == string(two)
}

// change is the configuration with the rule, which is then where it was, or last.
func (args ruleArgs) change(before []lifecycle.Rule) (after []lifecycle.Rule, previous *ruleView) {
	after = slices.Clone(before)
	i := slices.IndexFunc(after, func(r lifecycle.Rule) bool { return r.ID == args.ID })
	if i >= 0 {
		was := view(after[i])
		previous = &was
	}
	switch {
	case args.Absent && i >= 0:
		after = slices.Delete(after, i, i+1)
	case args.Absent:
	case i >= 0 && !previous.Other && equal(after[i], args.view().rule()):
	case i >= 0:
		after[i] = args.view().rule()
	default:
		after = append(after, args.view().rule())
	}
	return after, previous
}

func (p *provider) rule(ctx context.Context, args ruleArgs, _ *sdk.Call) (ruleResult, error) {
	if f := args.validate(); f != nil {
		return ruleResult{}, sdk.Clean(f)
	}
	s, err := p.open(ctx, "")
	if err != nil {
		return ruleResult{}, sdk.Clean(err)
	}
	defer s.close()
	config, err := s.rules(ctx, args.Bucket)
	if err != nil {
		return ruleResult{}, sdk.Clean(s.failure(ctx, err))
	}
	after, previous := args.change(config.Rules)
	result := ruleResult{Previous: previous, Changed: !slices.EqualFunc(config.Rules, after, equal), Rules: len(after)}
	if !result.Changed {
		result.Result = sdk.OK("%s is as it should be", args.Bucket)
		return result, nil
	}
	config.Rules = after
	if err := s.core.SetBucketLifecycle(ctx, args.Bucket, config); err != nil {
		return ruleResult{}, s.sent(ctx, err)
	}
	now, err := s.rules(ctx, args.Bucket)
	if err != nil {
		return ruleResult{}, s.failure(ctx, err)
	}
	if !slices.EqualFunc(now.Rules, after, func(a, b lifecycle.Rule) bool { return view(a).String() == view(b).String() && a.Status == b.Status }) {
		f := sdk.Fail("changed_meanwhile", "the rules of %s are not those that were written: somebody else changed them", args.Bucket)
		f.Remedy = "look at minio.lifecycle before anything else"
		return ruleResult{}, f
	}
	result.Result = sdk.OK("%s in %s", args.view(), args.Bucket)
	if args.Absent {
		result.Result = sdk.OK("removed the rule %s of %s", args.ID, args.Bucket)
	}
	return result, nil
}

func (p *provider) describeRule(args ruleArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Effects:     []schema.Effect{{Resource: p.config.resource(args.Bucket, args.Prefix), Mode: schema.Delete}},
		Destructive: !args.Absent || call.Unknown("absent"), Summary: "sets a rule of " + args.Bucket,
	}
	if args.Absent {
		d.Effects[0].Mode, d.Summary = schema.Write, "removes a rule of "+args.Bucket
	}
	if call.Unknown("bucket") {
		d.Effects[0].Resource, d.Summary = p.config.resource("", ""), "sets a rule of a bucket"
		return d
	}
	for _, name := range []string{"id", "prefix", "expire_days", "noncurrent_days", "enabled", "absent"} {
		if call.Unknown(name) {
			return d
		}
	}
	if d.Failure = args.validate(); d.Failure != nil {
		return d
	}
	d.Summary = fmt.Sprintf("%s in %s", args.view(), args.Bucket)
	if args.Absent {
		d.Summary = fmt.Sprintf("removes the rule %s of %s", args.ID, args.Bucket)
		d.Command = []string{"mc", "ilm", "rule", "remove", "--id", args.ID, p.config.Alias + "/" + args.Bucket}
		return d
	}
	d.Command = []string{"mc", "ilm", "rule", "add"}
	if args.ExpireDays != nil {
		d.Command = append(d.Command, "--expire-days", fmt.Sprint(*args.ExpireDays))
	}
	if args.NoncurrentDays != nil {
		d.Command = append(d.Command, "--noncurrent-expire-days", fmt.Sprint(*args.NoncurrentDays))
	}
	if args.Prefix != "" {
		d.Command = append(d.Command, "--prefix", args.Prefix)
	}
	d.Command = append(d.Command, p.config.Alias+"/"+args.Bucket)
	return d
}

// previewRule counts what is old enough to be deleted when the server looks next.
func (p *provider) previewRule(ctx context.Context, args ruleArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	preview := sdk.PreviewResult{Impact: schema.Impact{"objects": 0, "bytes": 0}}
	err := p.use(ctx, func(s *server) error {
		config, err := s.rules(ctx, args.Bucket)
		if err != nil {
			return err
		}
		after, previous := args.change(config.Rules)
		if slices.EqualFunc(config.Rules, after, equal) {
			preview.Summary = args.Bucket + " is as it should be"
			return nil
		}
		if args.Absent {
			preview.Summary = fmt.Sprintf("takes away: %s in %s", previous, args.Bucket)
			return nil
		}
		if err := s.expired(ctx, args, &preview); err != nil {
			return err
		}
		preview.Summary = fmt.Sprintf("%s in %s: %s, %s, old enough now", args.view(), args.Bucket,
			phrase.Count(preview.Impact["objects"], "object", "objects"), phrase.Size(preview.Impact["bytes"]))
		if previous != nil {
			preview.Summary += fmt.Sprintf("; before: %s", previous)
		}
		return nil
	})
	return preview, err
}

// expired counts what the rule is for, an object or a version each.
func (s *server) expired(ctx context.Context, args ruleArgs, preview *sdk.PreviewResult) error {
	if !args.Enabled {
		return nil
	}
	older := func(at time.Time, days *int) bool {
		return days != nil && time.Since(at) > time.Duration(*days)*24*time.Hour
	}
	var newer minio.ObjectInfo // the version that took the place of the next one
	return s.each(ctx, args.Bucket, args.Prefix, args.NoncurrentDays != nil, func(o minio.ObjectInfo) error {
		current := args.NoncurrentDays == nil || o.IsLatest
		goes := current && older(o.LastModified, args.ExpireDays) || !current && older(newer.LastModified, args.NoncurrentDays)
		newer = o
		if !goes || o.IsDeleteMarker {
			return nil
		}
		preview.Impact["objects"]++
		preview.Impact["bytes"] += o.Size
		if len(preview.Sample) < sampled {
			preview.Sample = append(preview.Sample, o.Key)
		}
		return nil
	})
}
