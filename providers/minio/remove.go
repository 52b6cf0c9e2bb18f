package minio

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const removeDoc = `Removes the objects under a prefix that were written longer ago than age. The preview counts them, by listing them. With a limit on objects or bytes, more than that
are refused before the first one is removed, and none beyond it is. Afterwards it looks whether they are gone.
Where the bucket keeps versions, deleting an object only puts a delete marker over it and frees nothing: say versions = true to really remove every version and marker
of that age, or false to add markers. Nothing is removed there until that is said. Doing it again is harmless.`

// removeBatch is how many objects S3 takes in one request.
const removeBatch = 1000

type removeArgs struct {
	Bucket   string        `runbook:"bucket" doc:"Name of the bucket."`
	Prefix   string        `runbook:"prefix,optional" doc:"Beginning of the names; without one, the whole bucket."`
	Age      time.Duration `runbook:"age" doc:"What was written longer ago goes, such as 2160h for 90 days; by this machine's clock."`
	Versions *bool         `runbook:"versions" doc:"Whether to remove all versions and delete markers of that age, which frees their space; false: only put markers over current objects. Needed where the bucket keeps versions."`
}

type removeResult struct {
	sdk.Result
	Objects    int64     `runbook:"objects" doc:"How many objects, or versions, were removed, or got a delete marker."`
	Bytes      int64     `runbook:"bytes" doc:"Their sizes, added up."`
	Markers    int64     `runbook:"markers" doc:"How many delete markers were removed; 0 unless versions are."`
	FreesSpace bool      `runbook:"frees_space" doc:"Whether they are really gone; false: delete markers were added, and the versions are still there."`
	OlderThan  time.Time `runbook:"older_than" doc:"What was written before this moment was removed."`
}

func (args removeArgs) validate() *schema.Failure {
	if args.Age <= 0 {
		return sdk.InvalidArgument("age", "age must be positive, got %s", args.Age)
	}
	return nil
}

// deletion is what is to be removed from one bucket.
type deletion struct {
	*server
	args     removeArgs
	before   time.Time
	versions bool // every version goes, not only the current one
	keeps    bool // the bucket keeps what is deleted without a version
}

// deletion looks whether the bucket keeps versions.
func (s *server) deletion(ctx context.Context, args removeArgs) (*deletion, error) {
	status, err := s.versioning(ctx, args.Bucket)
	if err != nil {
		return nil, err
	}
	d := &deletion{server: s, args: args, before: time.Now().Add(-args.Age)}
	if status == "off" {
		return d, nil
	}
	if args.Versions == nil {
		f := sdk.InvalidArgument("versions", "the bucket %s keeps versions (versioning is %s), and versions is not given: without it nothing says whether they are to go", args.Bucket, status)
		f.Remedy = "versions = true removes them and frees their space; false only adds delete markers"
		return nil, f
	}
	d.versions, d.keeps = *args.Versions, !*args.Versions
	return d, nil
}

// each hands on what is old enough, in batches.
func (d *deletion) each(ctx context.Context, batch func([]minio.ObjectInfo) error) error {
	var old []minio.ObjectInfo
	err := d.server.each(ctx, d.args.Bucket, d.args.Prefix, d.versions, func(o minio.ObjectInfo) error {
		if !o.LastModified.Before(d.before) {
			return nil
		}
		if old = append(old, o); len(old) < removeBatch {
			return nil
		}
		full := old
		old = nil
		return batch(full)
	})
	if err != nil || len(old) == 0 {
		return err
	}
	return batch(old)
}

// count is what would be removed, and the first names.
func (d *deletion) count(ctx context.Context) (found removeResult, sample []string, err error) {
	err = d.each(ctx, func(batch []minio.ObjectInfo) error {
		found.take(batch)
		for _, o := range batch[:min(len(batch), sampled-len(sample))] {
			sample = append(sample, fmt.Sprintf("%s  %s, %s old", o.Key, phrase.Size(o.Size), phrase.Span(time.Since(o.LastModified).Seconds())))
		}
		return nil
	})
	return found, sample, err
}

func (r *removeResult) take(batch []minio.ObjectInfo) {
	for _, o := range batch {
		if o.IsDeleteMarker {
			r.Markers++
			continue
		}
		r.Objects++
		r.Bytes += o.Size
	}
}

// over is the failure where a limit is passed.
func (r removeResult) over(call *sdk.Call, gone removeResult) error {
	for unit, n := range map[string]int64{"objects": r.Objects, "bytes": r.Bytes} {
		if limit, limited := call.Limit(unit); limited && n > limit {
			f := sdk.Fail("limit_exceeded", "%d %s would be removed, the limit is %d; removed so far: %s", n, unit, limit, phrase.Count(gone.Objects, "object", "objects"))
			f.Remedy = "narrow prefix or age, or raise limit"
			return f
		}
	}
	return nil
}

func (p *provider) remove(ctx context.Context, args removeArgs, call *sdk.Call) (removeResult, error) {
	if f := args.validate(); f != nil {
		return removeResult{}, sdk.Clean(f)
	}
	s, err := p.open(ctx, "")
	if err != nil {
		return removeResult{}, sdk.Clean(err)
	}
	defer s.close()
	d, err := s.deletion(ctx, args)
	if err != nil {
		return removeResult{}, sdk.Clean(s.failure(ctx, err))
	}
	found, _, err := d.count(ctx)
	if err == nil {
		err = found.over(call, removeResult{})
	}
	if err != nil {
		return removeResult{}, sdk.Clean(s.failure(ctx, err))
	}
	result := removeResult{OlderThan: d.before, FreesSpace: !d.keeps}
	sent := false  // something may have been removed
	var lost error // what became of the last request to remove
	err = d.each(ctx, func(batch []minio.ObjectInfo) error {
		next := result
		next.take(batch)
		if err := next.over(call, result); err != nil {
			return err
		}
		sent = true
		if lost = s.removeAll(ctx, args.Bucket, batch, d.versions); lost != nil {
			return lost
		}
		result = next
		call.Progress(float64(result.Objects), float64(found.Objects), "%s removed", phrase.Count(result.Objects, "object", "objects"))
		return nil
	})
	if err == nil {
		var left removeResult
		if left, _, err = d.count(ctx); err == nil && left.Objects+left.Markers > 0 {
			err = sdk.Fail("not_removed", "%s of that age are still there", phrase.Count(left.Objects+left.Markers, "object", "objects"))
		}
	}
	switch {
	case err != nil && !sent:
		return removeResult{}, sdk.Clean(s.failure(ctx, err))
	case err != nil && lost != nil && !answered(lost):
		return removeResult{}, sdk.Uncertain(after(result.Objects, s.failure(ctx, err)))
	case err != nil:
		return removeResult{}, after(result.Objects, s.failure(ctx, err))
	}
	result.Result = result.judge(args)
	return result, nil
}

// after is an error that says how many objects were gone by then.
func after(gone int64, err error) error {
	return fmt.Errorf("after removing %s: %w", phrase.Count(gone, "object", "objects"), err)
}

func (r removeResult) judge(args removeArgs) sdk.Result {
	where := at(args.Bucket, args.Prefix)
	switch {
	case !r.FreesSpace:
		return sdk.OK("put delete markers over %s in %s, which frees no space: their versions, %s, are still there", phrase.Count(r.Objects, "object", "objects"), where, phrase.Size(r.Bytes))
	case args.Versions != nil && *args.Versions:
		return sdk.OK("removed %s and %s from %s, %s", phrase.Count(r.Objects, "version", "versions"), phrase.Count(r.Markers, "delete marker", "delete markers"), where, phrase.Size(r.Bytes))
	}
	return sdk.OK("removed %s from %s, %s", phrase.Count(r.Objects, "object", "objects"), where, phrase.Size(r.Bytes))
}

// removeAll removes what was listed; with versions each is removed as that
// version. The first refusal is the error.
func (s *server) removeAll(ctx context.Context, bucket string, batch []minio.ObjectInfo, versions bool) error {
	if !versions {
		batch = slices.Clone(batch)
		for i := range batch {
			batch[i].VersionID = ""
		}
	}
	results, err := s.core.RemoveObjectsWithIter(ctx, bucket, slices.Values(batch), minio.RemoveObjectsOptions{})
	if err != nil {
		return err
	}
	for removed := range results {
		if removed.Err != nil && err == nil {
			err = removed.Err
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	return err
}
