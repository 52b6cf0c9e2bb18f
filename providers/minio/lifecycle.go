package minio

import (
	"context"
	"fmt"
	"slices"

	"github.com/minio/minio-go/v7/pkg/lifecycle"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const lifecycleDoc = `The rules by which the server itself deletes what is old in a bucket. It is ok when the named rule, or without a name any rule, is there and enabled.`

type lifecycleArgs struct {
	Bucket string `runbook:"bucket" doc:"Name of the bucket."`
	ID     string `runbook:"id,optional" doc:"Name of the rule that is expected; without one any rule will do."`
}

type ruleView struct {
	ID             string `runbook:"id" doc:"The rule's name."`
	Enabled        bool   `runbook:"enabled" doc:"Whether the server follows it."`
	Prefix         string `runbook:"prefix" doc:"Beginning of the names that it is for; empty: all."`
	ExpireDays     *int   `runbook:"expire_days" doc:"Objects are deleted when they are so many days old; null: they are not."`
	NoncurrentDays *int   `runbook:"noncurrent_days" doc:"Versions are removed so many days after they were deleted or overwritten; null: they are not."`
	Other          bool   `runbook:"other" doc:"Whether it says more than is shown here, such as tags, dates or storage classes."`
}

type lifecycleResult struct {
	sdk.Result
	Rules []ruleView `runbook:"rules" doc:"The rules of the bucket."`
}

func (p *provider) lifecycle(ctx context.Context, args lifecycleArgs, _ *sdk.Call) (lifecycleResult, error) {
	var result lifecycleResult
	err := p.use(ctx, func(s *server) error {
		config, err := s.rules(ctx, args.Bucket)
		if err != nil {
			return err
		}
		for _, rule := range config.Rules {
			result.Rules = append(result.Rules, view(rule))
		}
		return nil
	})
	if err != nil {
		return lifecycleResult{}, err
	}
	i := slices.IndexFunc(result.Rules, func(r ruleView) bool { return r.Enabled && (args.ID == "" || r.ID == args.ID) })
	known := slices.ContainsFunc(result.Rules, func(r ruleView) bool { return r.ID == args.ID })
	switch {
	case i >= 0:
		result.Result = sdk.OK("%s in %s; %s", phrase.Count(int64(len(result.Rules)), "rule", "rules"), args.Bucket, result.Rules[i])
	case args.ID != "" && known:
		result.Result = sdk.NotOK("the rule %s of %s is disabled", args.ID, args.Bucket)
	case args.ID != "":
		result.Result = sdk.NotOK("%s has no rule %s", args.Bucket, args.ID)
	default:
		result.Result = sdk.NotOK("%s has no enabled rule", args.Bucket)
	}
	return result, nil
}

// rules are the bucket's; none is an empty configuration.
func (s *server) rules(ctx context.Context, bucket string) (*lifecycle.Configuration, error) {
	config, err := s.core.GetBucketLifecycle(ctx, bucket)
	if is(err, "NoSuchLifecycleConfiguration") {
		return lifecycle.NewConfiguration(), nil
	}
	return config, err
}

func view(rule lifecycle.Rule) ruleView {
	v := ruleView{ID: rule.ID, Enabled: rule.Status == "Enabled", Prefix: firstOf(rule.RuleFilter.Prefix, firstOf(rule.RuleFilter.And.Prefix, rule.Prefix))}
	if days := int(rule.Expiration.Days); days > 0 {
		v.ExpireDays = &days
	}
	if days := int(rule.NoncurrentVersionExpiration.NoncurrentDays); days > 0 {
		v.NoncurrentDays = &days
	}
	v.Other = !equal(rule, v.rule())
	return v
}

// rule is what the view stands for.
func (v ruleView) rule() lifecycle.Rule {
	rule := lifecycle.Rule{ID: v.ID, Status: "Disabled", RuleFilter: lifecycle.Filter{Prefix: v.Prefix}}
	if v.Enabled {
		rule.Status = "Enabled"
	}
	if v.ExpireDays != nil {
		rule.Expiration.Days = lifecycle.ExpirationDays(*v.ExpireDays)
	}
	if v.NoncurrentDays != nil {
		rule.NoncurrentVersionExpiration.NoncurrentDays = lifecycle.ExpirationDays(*v.NoncurrentDays)
	}
	return rule
}

// String says what the rule does.
func (v ruleView) String() string {
	of := "all objects"
	if v.Prefix != "" {
		of = "objects under " + v.Prefix
	}
	text := "the rule " + v.ID
	if v.ExpireDays != nil {
		text += fmt.Sprintf(" deletes %s after %s", of, phrase.Count(int64(*v.ExpireDays), "day", "days"))
	}
	if v.NoncurrentDays != nil {
		if v.ExpireDays != nil {
			text += " and"
		}
		text += fmt.Sprintf(" removes old versions of %s after %s", of, phrase.Count(int64(*v.NoncurrentDays), "day", "days"))
	}
	if v.ExpireDays == nil && v.NoncurrentDays == nil {
		text += " is for " + of
	}
	return text
}
