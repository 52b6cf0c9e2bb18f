package minio

import (
	"context"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/runbook-engine/runbook/providers/sdk"
)

const bucketDoc = `Whether a bucket exists, and what holds for it. It is ok when it exists. A look into it proves the credentials too.`

type bucketArgs struct {
	Bucket string `runbook:"bucket" doc:"Name of the bucket."`
}

type bucketResult struct {
	sdk.Result
	Exists     bool   `runbook:"exists" doc:"Whether it exists."`
	Versioning string `runbook:"versioning" doc:"enabled, suspended, or off; empty where it does not exist."`
	ObjectLock bool   `runbook:"object_lock" doc:"Whether versions in it can be locked against deletion."`
	Empty      bool   `runbook:"empty" doc:"Whether it holds no object; versions that were deleted do not count."`
}

func (p *provider) bucket(ctx context.Context, args bucketArgs, _ *sdk.Call) (bucketResult, error) {
	var result bucketResult
	err := p.use(ctx, func(s *server) error {
		found, err := s.core.BucketExists(ctx, args.Bucket)
		if err != nil || !found {
			result.Result = sdk.NotOK("the bucket %s does not exist on MinIO at %s", args.Bucket, s.host)
			return err
		}
		if result.Versioning, err = s.versioning(ctx, args.Bucket); err != nil {
			return err
		}
		lock, _, _, _, err := s.core.GetObjectLockConfig(ctx, args.Bucket)
		if err != nil && !is(err, "ObjectLockConfigurationNotFoundError", "NotImplemented") {
			return err
		}
		result.Exists, result.ObjectLock, result.Empty = true, lock == "Enabled", true
		for object := range s.core.ListObjectsIter(ctx, args.Bucket, minio.ListObjectsOptions{Recursive: true, MaxKeys: 1}) {
			if object.Err != nil {
				return object.Err
			}
			result.Empty = false
			break
		}
		result.Result = sdk.OK("the bucket %s exists, versioning is %s", args.Bucket, result.Versioning)
		return nil
	})
	if err != nil {
		return bucketResult{}, err
	}
	return result, nil
}

// versioning is enabled, suspended or off.
func (s *server) versioning(ctx context.Context, bucket string) (string, error) {
	config, err := s.core.GetBucketVersioning(ctx, bucket)
	switch {
	case is(err, "NotImplemented"):
		return "off", nil
	case err != nil:
		return "", err
	case config.Enabled():
		return "enabled", nil
	case config.Suspended():
		return "suspended", nil
	}
	return "off", nil
}

const versioningDoc = `Whether a bucket keeps old versions of its objects. It is ok when that is as expected. Where versions are kept, deleting an object frees no space.`

type versioningArgs struct {
	Bucket  string `runbook:"bucket" doc:"Name of the bucket."`
	Enabled bool   `runbook:"enabled" default:"true" doc:"What is expected."`
}

type versioningResult struct {
	sdk.Result
	Status string `runbook:"status" doc:"enabled, suspended (old versions are still there), or off."`
}

func (p *provider) versioning(ctx context.Context, args versioningArgs, _ *sdk.Call) (versioningResult, error) {
	var result versioningResult
	err := p.use(ctx, func(s *server) (err error) {
		result.Status, err = s.versioning(ctx, args.Bucket)
		return err
	})
	if err != nil {
		return versioningResult{}, err
	}
	result.Result = sdk.OK("versioning of %s is %s", args.Bucket, result.Status)
	result.OK = args.Enabled == (result.Status == "enabled")
	return result, nil
}

const objectDoc = `One object: whether it exists, its size, age and metadata, and on demand its hash. It is ok when it exists, is large and young enough, and has the
expected hash. The hash is that of its content, read for the purpose: an ETag is none.`

type objectArgs struct {
	Bucket    string         `runbook:"bucket" doc:"Name of the bucket."`
	Object    string         `runbook:"object" doc:"The object's full name, without a leading slash."`
	VersionID string         `runbook:"version_id,optional" doc:"A version of it; without one the current."`
	MinBytes  int64          `runbook:"min_bytes" default:"0" doc:"The smallest size that is ok."`
	MaxAge    *time.Duration `runbook:"max_age" doc:"The greatest age that is ok; without one any is."`
	SHA256    string         `runbook:"sha256,optional" doc:"The hash that its content must have, in hex. The whole object is read."`
}

type objectResult struct {
	sdk.Result
	Exists       bool              `runbook:"exists" doc:"Whether it exists; a delete marker does not count."`
	Bytes        *int64            `runbook:"bytes" doc:"Size; null where it does not exist."`
	LastModified *time.Time        `runbook:"last_modified" doc:"When it was written; null where it does not exist."`
	AgeSeconds   *float64          `runbook:"age_seconds" doc:"How long ago that is, by this machine's clock."`
	ETag         string            `runbook:"etag" doc:"The server's tag of the content. It is an MD5 only of objects that were written in one piece and not encrypted."`
	VersionID    string            `runbook:"version_id" doc:"Its version; empty where the bucket keeps none."`
	ContentType  string            `runbook:"content_type" doc:"Media type."`
	Metadata     map[string]string `runbook:"metadata" doc:"Metadata that its writers gave it."`
	SHA256       string            `runbook:"sha256" doc:"Hash of its content in hex, where one was expected; else empty."`
}

func (p *provider) object(ctx context.Context, args objectArgs, _ *sdk.Call) (objectResult, error) {
	var result objectResult
	name := at(args.Bucket, args.Object)
	err := p.use(ctx, func(s *server) error {
		info, err := s.core.StatObject(ctx, args.Bucket, args.Object, minio.StatObjectOptions{VersionID: args.VersionID})
		if is(err, "NoSuchKey", "MethodNotAllowed") { // the latter: a delete marker
			found, err := s.core.BucketExists(ctx, args.Bucket)
			if err == nil && !found {
				err = minio.ErrorResponse{Code: "NoSuchBucket", BucketName: args.Bucket}
			}
			result.Result = sdk.NotOK("%s does not exist", name)
			return err
		}
		if err != nil {
			return err
		}
		age := time.Since(info.LastModified).Seconds()
		result = objectResult{
			Exists: true, Bytes: &info.Size, LastModified: &info.LastModified, AgeSeconds: &age, ETag: info.ETag,
			VersionID: info.VersionID, ContentType: info.ContentType, Metadata: info.UserMetadata,
		}
		if args.SHA256 != "" {
			if result.SHA256, err = s.sum(ctx, args.Bucket, args.Object, info.VersionID, info.ETag); err != nil {
				return err
			}
		}
		result.Result = result.judge(name, args)
		return nil
	})
	if err != nil {
		return objectResult{}, err
	}
	return result, nil
}
