package minio

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/runbook-engine/runbook/providers/internal/phrase"
	"github.com/runbook-engine/runbook/providers/sdk"
)

func (r objectResult) judge(name string, args objectArgs) sdk.Result {
	told := fmt.Sprintf("%s has %s and is %s old", name, phrase.Size(*r.Bytes), phrase.Span(max(0, *r.AgeSeconds)))
	switch {
	case *r.Bytes < args.MinBytes:
		return sdk.NotOK("%s; at least %s are expected", told, phrase.Size(args.MinBytes))
	case args.MaxAge != nil && *r.AgeSeconds > args.MaxAge.Seconds():
		return sdk.NotOK("%s; at most %s is ok", told, phrase.Span(args.MaxAge.Seconds()))
	case args.SHA256 != "" && !strings.EqualFold(args.SHA256, r.SHA256):
		return sdk.NotOK("%s; its SHA-256 is %s, not %s", told, r.SHA256, args.SHA256)
	}
	return sdk.OK("%s", told)
}

const objectsDoc = `How many objects lie under a prefix, how large they are together, and which is the newest, counted by listing them: the figures that MinIO keeps of its own
lag behind. It is ok between min and max, when the newest is young enough. A bucket that does not exist is an error, not an answer.`

// maxListed bounds a listing: an answer about a part would be a guess.
const maxListed = 5_000_000

const sampled = 10

type objectsArgs struct {
	Bucket    string         `runbook:"bucket" doc:"Name of the bucket."`
	Prefix    string         `runbook:"prefix,optional" doc:"Beginning of the names that count; without one, all do."`
	OlderThan *time.Duration `runbook:"older_than" doc:"Count only what was written longer ago."`
	NewerThan *time.Duration `runbook:"newer_than" doc:"Count only what was written since."`
	Versions  bool           `runbook:"versions" default:"false" doc:"Count every version, those that were deleted or overwritten included: they take up space too."`
	Min       int64          `runbook:"min" default:"1" doc:"The fewest that are ok."`
	Max       *int64         `runbook:"max" doc:"The most that are ok; without one there is no upper bound."`
	MaxAge    *time.Duration `runbook:"max_age" doc:"How old the newest may be; without one, any age is ok."`
}

type listed struct {
	Object       string    `runbook:"object" doc:"The object's name."`
	Bytes        int64     `runbook:"bytes" doc:"Its size."`
	LastModified time.Time `runbook:"last_modified" doc:"When it was written."`
	AgeSeconds   float64   `runbook:"age_seconds" doc:"How long ago that is, by this machine's clock."`
}

type objectsResult struct {
	sdk.Result
	Objects int64    `runbook:"objects" doc:"How many objects, or versions, there are; delete markers do not count."`
	Bytes   int64    `runbook:"bytes" doc:"Their sizes, added up."`
	Markers int64    `runbook:"markers" doc:"Delete markers; 0 unless versions are counted."`
	Newest  *listed  `runbook:"newest" doc:"The one written last; null where there is none."`
	Oldest  *listed  `runbook:"oldest" doc:"The one written first; null where there is none."`
	Sample  []string `runbook:"sample" doc:"The first ten names."`
}

func (p *provider) objects(ctx context.Context, args objectsArgs, _ *sdk.Call) (objectsResult, error) {
	var result objectsResult
	now := time.Now()
	err := p.use(ctx, func(s *server) error {
		return s.each(ctx, args.Bucket, args.Prefix, args.Versions, func(o minio.ObjectInfo) error {
			age := now.Sub(o.LastModified)
			switch {
			case args.OlderThan != nil && age <= *args.OlderThan, args.NewerThan != nil && age > *args.NewerThan:
				return nil
			case o.IsDeleteMarker:
				result.Markers++
				return nil
			}
			result.take(o, age)
			return nil
		})
	})
	if err != nil {
		return objectsResult{}, err
	}
	result.Result = result.judge(at(args.Bucket, args.Prefix), args)
	return result, nil
}

func (r *objectsResult) take(o minio.ObjectInfo, age time.Duration) {
	r.Objects++
	r.Bytes += o.Size
	one := &listed{Object: o.Key, Bytes: o.Size, LastModified: o.LastModified, AgeSeconds: age.Seconds()}
	if r.Newest == nil || o.LastModified.After(r.Newest.LastModified) {
		r.Newest = one
	}
	if r.Oldest == nil || o.LastModified.Before(r.Oldest.LastModified) {
		r.Oldest = one
	}
	if len(r.Sample) < sampled {
		r.Sample = append(r.Sample, o.Key)
	}
}

func (r objectsResult) judge(where string, args objectsArgs) sdk.Result {
	told := fmt.Sprintf("%s in %s, %s", phrase.Count(r.Objects, "object", "objects"), where, phrase.Size(r.Bytes))
	if args.Versions {
		told = fmt.Sprintf("%s in %s, %s, and %s", phrase.Count(r.Objects, "version", "versions"), where, phrase.Size(r.Bytes), phrase.Count(r.Markers, "delete marker", "delete markers"))
	}
	if args.OlderThan != nil {
		told += fmt.Sprintf(", older than %s", phrase.Span(args.OlderThan.Seconds()))
	}
	if args.NewerThan != nil {
		told += fmt.Sprintf(", newer than %s", phrase.Span(args.NewerThan.Seconds()))
	}
	switch {
	case r.Objects < args.Min:
		return sdk.NotOK("%s; at least %d are expected", told, args.Min)
	case args.Max != nil && r.Objects > *args.Max:
		return sdk.NotOK("%s; at most %d are ok", told, *args.Max)
	case args.MaxAge != nil && r.Newest == nil:
		return sdk.NotOK("%s", told)
	case args.MaxAge != nil && r.Newest.AgeSeconds > args.MaxAge.Seconds():
		return sdk.NotOK("%s; the newest is %s old", told, phrase.Span(r.Newest.AgeSeconds))
	}
	return sdk.OK("%s", told)
}

// each hands on every object under a prefix, in order of the names; or every
// version, of one name the newest first.
func (s *server) each(ctx context.Context, bucket, prefix string, versions bool, fn func(minio.ObjectInfo) error) error {
	n := 0
	for object := range s.core.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true, WithVersions: versions}) {
		if object.Err != nil {
			return object.Err
		}
		if n++; n > maxListed {
			f := sdk.Fail("too_many_objects", "more than %d objects lie in %s: they are not counted", maxListed, at(bucket, prefix))
			f.Remedy = "narrow the prefix"
			return f
		}
		if err := fn(object); err != nil {
			return err
		}
	}
	return ctx.Err()
}
