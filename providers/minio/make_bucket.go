package minio

import (
	"context"
	"fmt"
	"regexp"

	"github.com/minio/minio-go/v7"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

const makeBucketDoc = `Makes a bucket where it does not exist, and has it keep versions where told to. A bucket that exists is left as it is, but for that.
Doing it again is harmless.`

type makeBucketArgs struct {
	Bucket     string `runbook:"bucket" doc:"Name of the bucket."`
	Versioning bool   `runbook:"versioning" default:"false" doc:"Keep old versions of its objects. false leaves that as it is."`
	ObjectLock bool   `runbook:"object_lock" default:"false" doc:"Let versions be locked against deletion; only a new bucket can."`
}

type makeBucketResult struct {
	sdk.Result
	Created            bool   `runbook:"created" doc:"Whether it was made now; false: it existed."`
	PreviousVersioning string `runbook:"previous_versioning" doc:"enabled, suspended or off before; empty where it did not exist."`
}

var bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func (args makeBucketArgs) validate() *schema.Failure {
	if bucketName.MatchString(args.Bucket) {
		return nil
	}
	f := sdk.InvalidArgument("bucket", "%q cannot be the name of a new bucket", args.Bucket)
	f.Remedy = "a name has 3 to 63 lower-case letters, digits, dots and dashes"
	return f
}

func missingBucket(bucket string) minio.ErrorResponse {
	return minio.ErrorResponse{Code: "NoSuchBucket", BucketName: bucket}
}

func (p *provider) makeBucket(ctx context.Context, args makeBucketArgs, _ *sdk.Call) (makeBucketResult, error) {
	if f := args.validate(); f != nil {
		return makeBucketResult{}, sdk.Clean(f)
	}
	s, err := p.open(ctx, "")
	if err != nil {
		return makeBucketResult{}, sdk.Clean(err)
	}
	defer s.close()
	var result makeBucketResult
	found, err := s.core.BucketExists(ctx, args.Bucket)
	if err == nil && found {
		result.PreviousVersioning, err = s.versioning(ctx, args.Bucket)
	}
	if err == nil && found && args.ObjectLock {
		err = s.locked(ctx, args.Bucket)
	}
	if err != nil {
		return makeBucketResult{}, sdk.Clean(s.failure(ctx, err))
	}
	if !found {
		err = s.core.MakeBucket(ctx, args.Bucket, minio.MakeBucketOptions{Region: s.site.Region, ObjectLocking: args.ObjectLock})
		if result.Created = err == nil; err != nil && !is(err, "BucketAlreadyOwnedByYou") {
			return makeBucketResult{}, s.sent(ctx, err)
		}
	}
	if args.Versioning && result.PreviousVersioning != "enabled" {
		if err := s.core.EnableVersioning(ctx, args.Bucket); err != nil {
			return makeBucketResult{}, s.failure(ctx, err)
		}
	}
	now, err := s.versioning(ctx, args.Bucket) // the thing itself
	if err != nil {
		return makeBucketResult{}, s.failure(ctx, err)
	}
	if args.Versioning && now != "enabled" {
		return makeBucketResult{}, sdk.Fail("not_versioned", "versioning of %s was enabled, and is %s", args.Bucket, now)
	}
	result.Result = sdk.OK("the bucket %s existed, versioning is %s", args.Bucket, now)
	if result.Created {
		result.Result = sdk.OK("made the bucket %s, versioning is %s", args.Bucket, now)
	}
	return result, nil
}

// locked is the failure of a bucket whose versions cannot be locked.
func (s *server) locked(ctx context.Context, bucket string) error {
	lock, _, _, _, err := s.core.GetObjectLockConfig(ctx, bucket)
	if err != nil && !is(err, "ObjectLockConfigurationNotFoundError") || lock == "Enabled" {
		return err
	}
	f := sdk.Fail("bucket_differs", "the bucket %s exists, and versions in it cannot be locked", bucket)
	f.Remedy = "choose another name: only a new bucket can have object_lock"
	return f
}

// sent types the error of a request that changes something.
func (s *server) sent(ctx context.Context, err error) error {
	if answered(err) {
		return sdk.Clean(s.failure(ctx, err))
	}
	return sdk.Uncertain(s.failure(ctx, err))
}

func (p *provider) describeMakeBucket(args makeBucketArgs, call *sdk.Call) sdk.Description {
	d := sdk.Description{
		Effects: []schema.Effect{{Resource: p.config.resource(args.Bucket, ""), Mode: schema.Write}},
		Summary: "makes the bucket " + args.Bucket,
	}
	if call.Unknown("bucket") {
		d.Summary = "makes a bucket"
		return d
	}
	if d.Failure = args.validate(); d.Failure != nil || call.Unknown("versioning") || call.Unknown("object_lock") {
		return d
	}
	d.Command = []string{"mc", "mb", "--ignore-existing"}
	if args.Versioning {
		d.Command = append(d.Command, "--with-versioning")
	}
	if args.ObjectLock {
		d.Command = append(d.Command, "--with-lock")
	}
	d.Command = append(d.Command, p.config.Alias+"/"+args.Bucket)
	return d
}

func (p *provider) previewMakeBucket(ctx context.Context, args makeBucketArgs, _ *sdk.Call) (sdk.PreviewResult, error) {
	preview := sdk.PreviewResult{Impact: schema.Impact{"buckets": 1}, Summary: "makes the bucket " + args.Bucket}
	err := p.use(ctx, func(s *server) error {
		found, err := s.core.BucketExists(ctx, args.Bucket)
		if err != nil || !found {
			return err
		}
		now, err := s.versioning(ctx, args.Bucket)
		preview.Summary = fmt.Sprintf("has the bucket %s keep versions, which exists (versioning is %s)", args.Bucket, now)
		if !args.Versioning || now == "enabled" {
			preview.Impact["buckets"] = 0
			preview.Summary = fmt.Sprintf("changes nothing: the bucket %s exists, versioning is %s", args.Bucket, now)
		}
		return err
	})
	return preview, err
}
