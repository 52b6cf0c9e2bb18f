package minio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/runbook-engine/runbook/providers/internal/batch"
	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const healDoc = `Has MinIO look at each object under a prefix on all of its drives, and write again what a drive has lost. It waits until that is done, and fails where an object
could not be made whole. The preview is MinIO's own dry run. With remove, objects of which too much is lost to ever be read again are deleted, which is destructive.
When it is cancelled MinIO stops too. Doing it again is harmless.`

// healPause is the pause between two looks at a healing in progress.
const healPause = 250 * time.Millisecond

type healArgs struct {
	Bucket string `runbook:"bucket" doc:"Name of the bucket."`
	Prefix string `runbook:"prefix,optional" doc:"Beginning of the names; without one, the whole bucket."`
	Deep   bool   `runbook:"deep" default:"false" doc:"Read all content and check it against its hashes, too: slow, and the only way to find silent damage."`
	Remove bool   `runbook:"remove" default:"false" doc:"Delete what can never be read again."`
}

type healResult struct {
	sdk.Result
	Objects         int64    `runbook:"objects" doc:"How many objects were looked at."`
	Healed          int64    `runbook:"healed" doc:"How many of them a drive had lost, and are whole again."`
	Broken          int64    `runbook:"broken" doc:"How many are still not whole on every drive."`
	Sample          []string `runbook:"sample" doc:"Up to ten names of the healed and the broken."`
	DurationSeconds float64  `runbook:"duration_seconds" doc:"How long it took."`
}

// healItem is what MinIO says of one object.
type healItem struct {
	Type          string
	Object        string
	Before, After struct{ Drives []struct{ State string } }
}

func (i healItem) whole(drives []struct{ State string }) bool {
	return !slices.ContainsFunc(drives, func(d struct{ State string }) bool { return d.State != "ok" })
}

func (r *healResult) take(items []healItem, dry bool) {
	for _, item := range items {
		if item.Type != "object" {
			continue
		}
		r.Objects++
		before, after := item.whole(item.Before.Drives), item.whole(item.After.Drives)
		if before && after {
			continue
		}
		if after && !dry {
			r.Healed++
		} else {
			r.Broken++
		}
		if len(r.Sample) < sampled {
			r.Sample = append(r.Sample, item.Object)
		}
	}
}

func (p *provider) heal(ctx context.Context, args healArgs, call *sdk.Call) (healResult, error) {
	s, err := p.open(ctx, "")
	if err != nil {
		return healResult{}, sdk.Clean(err)
	}
	defer s.close()
	started := time.Now()
	result, state, err := s.healed(ctx, args, false, call)
	result.DurationSeconds = time.Since(started).Seconds()
	switch {
	case err != nil:
		return healResult{}, batch.Ended(s.failure(ctx, err), state)
	case result.Broken > 0:
		f := sdk.Fail("not_healed", "%s of %d could not be made whole, such as %s", phrase.Count(result.Broken, "object", "objects"), result.Objects, result.Sample[0])
		f.Remedy = "see minio.capacity for drives that are not online, and bring them back first"
		return healResult{}, f
	}
	result.Result = sdk.OK("healed %d of %s in %s", result.Healed, phrase.Count(result.Objects, "object", "objects"), at(args.Bucket, args.Prefix))
	return result, nil
}

// healed has MinIO heal, or only look, and collects what it says. It tells, too,
// how certain an error is: clean before MinIO has begun.
func (s *server) healed(ctx context.Context, args healArgs, dry bool, call *sdk.Call) (result healResult, state schema.State, err error) {
	found, err := s.core.BucketExists(ctx, args.Bucket)
	if err == nil && !found {
		err = s.refused(missingBucket(args.Bucket))
	}
	if err != nil {
		return result, schema.FailedClean, err
	}
	path := "heal/" + url.PathEscape(args.Bucket)
	if args.Prefix != "" {
		path += escaped(args.Prefix)
	}
	scan := 1
	if args.Deep {
		scan = 2
	}
	var started struct{ ClientToken string }
	settings := map[string]any{"recursive": true, "dryRun": dry, "remove": args.Remove && !dry, "scanMode": scan}
	defer func() {
		if err == nil || state == schema.FailedClean {
			return
		}
		// Whatever ended the wait, MinIO must not go on without us.
		bounded, stop := context.WithTimeout(context.WithoutCancel(ctx), s.config.ConnectTimeout)
		defer stop()
		err = errors.Join(err, s.failure(bounded, s.admin(bounded, http.MethodPost, path, url.Values{"forceStop": {"true"}}, settings, &struct{}{})))
	}()
	if err := s.admin(ctx, http.MethodPost, path, nil, settings, &started); err != nil {
		if answered(err) {
			return result, schema.FailedClean, err
		}
		return result, schema.Unknown, err
	}
	for {
		var said struct {
			Summary, Detail string
			Items           []healItem
		}
		if err := s.admin(ctx, http.MethodPost, path, url.Values{"clientToken": {started.ClientToken}}, nil, &said); err != nil {
			return result, schema.FailedPartial, err
		}
		result.take(said.Items, dry)
		call.Progress(float64(result.Objects), 0, "%s looked at, %d healed", phrase.Count(result.Objects, "object", "objects"), result.Healed)
		switch said.Summary {
		case "finished":
			return result, schema.Done, nil
		case "stopped":
			f := sdk.Fail("heal_stopped", "MinIO stopped healing: %s", firstOf(said.Detail, "somebody else told it to"))
			f.Remedy = "find out who else heals, and try again"
			return result, schema.FailedPartial, f
		}
		select {
		case <-ctx.Done():
			return result, schema.FailedPartial, ctx.Err()
		case <-time.After(healPause):
		}
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func (p *provider) describeHeal(args healArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Effects:     []schema.Effect{{Resource: p.config.resource(args.Bucket, args.Prefix), Mode: schema.Write}},
		Destructive: args.Remove || call.Unknown("remove"),
		Summary:     "heals " + at(args.Bucket, args.Prefix),
	}
	if d.Destructive {
		d.Effects[0].Mode = schema.Delete
	}
	if call.Unknown("bucket") {
		d.Effects[0].Resource, d.Summary = p.config.resource("", ""), "heals a bucket"
		return d
	}
	if call.Unknown("prefix") {
		d.Summary = "heals a part of " + args.Bucket
		return d
	}
	d.Command = []string{"mc", "admin", "heal", "--recursive"}
	if args.Deep {
		d.Command = append(d.Command, "--scan", "deep")
	}
	if args.Remove {
		d.Command = append(d.Command, "--remove")
	}
	d.Command = append(d.Command, under(p.config.Alias, args.Bucket, args.Prefix))
	return d
}

func (p *provider) previewHeal(ctx context.Context, args healArgs, call *sdk.Call) (sdk.PreviewResult, error) {
	var found healResult
	err := p.use(ctx, func(s *server) (err error) {
		found, _, err = s.healed(ctx, args, true, call)
		return err
	})
	if err != nil {
		return sdk.PreviewResult{}, err
	}
	return sdk.PreviewResult{
		Impact: schema.Impact{"objects": found.Broken}, Sample: found.Sample,
		Summary: fmt.Sprintf("heals %d of %s in %s", found.Broken, phrase.Count(found.Objects, "object", "objects"), at(args.Bucket, args.Prefix)),
	}, nil
}
