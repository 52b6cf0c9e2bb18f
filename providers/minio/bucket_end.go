package minio

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/runbook-engine/runbook/providers/internal/batch"
)

// bucketEnd is a bucket, a part of it, or one object.
type bucketEnd struct {
	*server
	place Place
}

func (b *bucketEnd) close() { b.server.close() }

func (b *bucketEnd) key(name string) string {
	if b.place.Object != "" {
		return b.place.Object
	}
	return b.place.Prefix + name
}

func (b *bucketEnd) list(ctx context.Context) ([]thing, error) {
	if b.place.Object != "" {
		info, err := b.core.StatObject(ctx, b.place.Bucket, b.place.Object, minio.StatObjectOptions{})
		if err != nil {
			return nil, b.failure(ctx, b.named(err, b.place.Object))
		}
		return []thing{{name: b.place.name(info.Key), size: info.Size, etag: info.ETag, at: info.LastModified}}, nil
	}
	var things []thing
	err := b.each(ctx, b.place.Bucket, b.place.Prefix, false, func(o minio.ObjectInfo) error {
		if strings.HasSuffix(o.Key, "/") && o.Size == 0 {
			return nil // a folder that some tools draw
		}
		things = append(things, thing{name: b.place.name(o.Key), size: o.Size, etag: o.ETag, at: o.LastModified})
		return nil
	})
	return things, b.failure(ctx, err)
}

// named adds what the answer to a HEAD request, which has no text, lacks.
func (b *bucketEnd) named(err error, key string) error {
	if said := minio.ToErrorResponse(err); said.Code != "" {
		said.BucketName, said.Key = firstOf(said.BucketName, b.place.Bucket), firstOf(said.Key, key)
		return said
	}
	return err
}

func (b *bucketEnd) read(ctx context.Context, t thing) (content, error) {
	key := b.key(t.name)
	var options minio.GetObjectOptions
	if t.etag != "" {
		if err := options.SetMatchETag(t.etag); err != nil {
			return content{}, err
		}
	}
	body, info, _, err := b.core.GetObject(ctx, b.place.Bucket, key, options)
	if err != nil {
		return content{}, b.failure(ctx, b.named(err, key))
	}
	c := content{ReadCloser: &told{body, ctx, b.server}, size: info.Size, meta: meta{kind: info.ContentType, user: info.UserMetadata, head: map[string]string{}}}
	for _, name := range []string{"Cache-Control", "Content-Encoding", "Content-Disposition", "Content-Language"} {
		if value := info.Metadata.Get(name); value != "" {
			c.meta.head[name] = value
		}
	}
	if info.UserTagCount > 0 {
		tags, err := b.core.GetObjectTagging(ctx, b.place.Bucket, key, minio.GetObjectTaggingOptions{})
		if err != nil {
			_ = body.Close()
			return content{}, b.failure(ctx, b.named(err, key))
		}
		c.meta.tags = tags.ToMap()
	}
	return c, nil
}

// told types the errors of a body.
type told struct {
	io.ReadCloser
	ctx    context.Context
	server *server
}

func (t *told) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = t.server.failure(t.ctx, err)
	}
	return n, err
}

// sum is the SHA-256 of an object's content.
func (s *server) sum(ctx context.Context, bucket, key, version, etag string) (string, error) {
	options := minio.GetObjectOptions{VersionID: version}
	if err := options.SetMatchETag(etag); err != nil {
		return "", err
	}
	body, _, _, err := s.core.GetObject(ctx, bucket, key, options)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	read := newSums()
	if _, err := io.Copy(read, body); err != nil {
		return "", err
	}
	return read.sum(), nil
}

func (b *bucketEnd) write(ctx context.Context, name string, old *thing, c content) error {
	key := b.key(name)
	read := newSums()
	if err := b.put(ctx, key, old, io.TeeReader(c, read), c); err != nil {
		return err
	}
	if err := b.verify(ctx, name, key, read, c.size); err != nil {
		return batch.Changed(err)
	}
	return nil
}

// verify compares what was read with what the bucket now holds.
func (b *bucketEnd) verify(ctx context.Context, name, key string, read *sums, size int64) error {
	info, err := b.core.StatObject(ctx, b.place.Bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return b.failure(ctx, b.named(err, key))
	}
	if info.Size == size && read.n == size && info.ETag == read.etag() {
		return nil // the server made this hash of what it holds
	}
	written, err := sumsOf(ctx, b, thing{name: name, etag: info.ETag})
	if err != nil {
		return err
	}
	return compared(at(b.place.Bucket, key), read, written, size)
}

// put writes an object in one piece, or in parts where it is too large.
func (b *bucketEnd) put(ctx context.Context, key string, old *thing, r io.Reader, c content) error {
	options := minio.PutObjectOptions{
		ContentType: c.meta.kind, UserMetadata: c.meta.user, UserTags: c.meta.tags,
		CacheControl: c.meta.head["Cache-Control"], ContentEncoding: c.meta.head["Content-Encoding"],
		ContentDisposition: c.meta.head["Content-Disposition"], ContentLanguage: c.meta.head["Content-Language"],
	}
	if old == nil {
		options.SetMatchETagExcept("*")
	} else {
		options.SetMatchETag(old.etag)
	}
	var err error
	if c.size <= b.config.PartSize {
		_, err = b.core.PutObject(ctx, b.place.Bucket, key, r, c.size, "", "", options)
	} else {
		err = b.putParts(ctx, key, r, c.size, options)
	}
	if err == nil {
		return nil
	}
	failed := b.failure(ctx, b.named(err, key))
	if answered(err) {
		return failed
	}
	return batch.Lost(failed)
}

// putParts leaves no part behind when it fails.
func (b *bucketEnd) putParts(ctx context.Context, key string, r io.Reader, size int64, options minio.PutObjectOptions) (err error) {
	bucket := b.place.Bucket
	id, err := b.core.NewMultipartUpload(ctx, bucket, key, options)
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			return
		}
		bounded, stop := context.WithTimeout(context.WithoutCancel(ctx), b.config.AnswerTimeout)
		defer stop()
		_ = b.core.AbortMultipartUpload(bounded, bucket, key, id) // the first error tells more
	}()
	var parts []minio.CompletePart
	for left := size; left > 0; left -= b.config.PartSize {
		n := min(left, b.config.PartSize)
		part, err := b.core.PutObjectPart(ctx, bucket, key, id, len(parts)+1, io.LimitReader(r, n), n, minio.PutObjectPartOptions{})
		if err != nil {
			return err
		}
		parts = append(parts, minio.CompletePart{PartNumber: len(parts) + 1, ETag: part.ETag})
	}
	_, err = b.core.CompleteMultipartUpload(ctx, bucket, key, id, parts, options)
	return err
}

func (b *bucketEnd) remove(ctx context.Context, things []thing) error {
	for chunk := range slices.Chunk(things, removeBatch) {
		objects := make([]minio.ObjectInfo, len(chunk))
		for i, t := range chunk {
			objects[i].Key = b.key(t.name)
		}
		if err := b.removeAll(ctx, b.place.Bucket, objects, false); err != nil {
			failed := b.failure(ctx, err)
			if answered(err) {
				return batch.Changed(failed)
			}
			return batch.Lost(failed)
		}
	}
	return nil
}
