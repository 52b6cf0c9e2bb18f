package minio

import (
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"time"
)

// thing is an object or a file at one end of a copy.
type thing struct {
	name string // relative to the end's place
	size int64
	etag string // of an object; empty for a file
	at   time.Time
}

// end is one end of a copy.
type end interface {
	list(context.Context) ([]thing, error) // in order of the names
	source
	target
	close()
}

// source is what is read from.
type source interface {
	// read opens the content of a thing as it was listed.
	read(context.Context, thing) (content, error)
}

// target is what is written to.
type target interface {
	// write puts content under a name. old is what is there, nil where nothing
	// is: should that have changed, it fails and leaves it alone. What was
	// written is compared with what was read, at its place.
	write(ctx context.Context, name string, old *thing, c content) error
	remove(context.Context, []thing) error
}

// content is an open thing, and what goes with it.
type content struct {
	io.ReadCloser
	size int64
	meta meta
}

// meta is what an object has beside its content; nothing of it fits a file.
type meta struct {
	kind string            // media type
	user map[string]string // what its writers gave it
	tags map[string]string
	head map[string]string // Cache-Control and the like
}

// sums are hashes of a stream, taken on the way.
type sums struct {
	md5, sha256 hash.Hash
	n           int64
}

func newSums() *sums { return &sums{md5: md5.New(), sha256: sha256.New()} } //nolint:gosec // an ETag is an MD5

func (s *sums) Write(b []byte) (int, error) {
	s.md5.Write(b)
	s.sha256.Write(b)
	s.n += int64(len(b))
	return len(b), nil
}

// etag is the ETag of an object with this content, if it is written in one piece
// and not encrypted.
func (s *sums) etag() string { return hex.EncodeToString(s.md5.Sum(nil)) }

func (s *sums) sum() string { return hex.EncodeToString(s.sha256.Sum(nil)) }

// sumsOf reads a thing to its end.
func sumsOf(ctx context.Context, from source, t thing) (*sums, error) {
	c, err := from.read(ctx, t)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	s := newSums()
	_, err = io.Copy(s, c)
	return s, err
}

// same tells whether two things have one content. An ETag proves that they do,
// where it is that of the other's content; where it is not it proves nothing,
// since objects that were written in parts or are encrypted have other ones.
func same(ctx context.Context, from source, a thing, to source, b thing) (bool, error) {
	switch {
	case a.size != b.size:
		return false, nil
	case a.etag != "" && a.etag == b.etag:
		return true, nil
	}
	here, err := sumsOf(ctx, to, b)
	if err != nil || a.etag != "" && a.etag == here.etag() {
		return err == nil, err
	}
	there, err := sumsOf(ctx, from, a)
	return err == nil && here.sum() == there.sum(), err
}
