package dvc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/runbook-engine/runbook/providers/internal/batch"
	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// bucket keeps objects in S3.
type bucket struct {
	client  *minio.Client
	name    string
	prefix  string // empty, or it ends with a slash
	remote  string
	backend reach.Backend
	inTurn  int // see listedInTurn

	patience time.Duration // for the beginning of an answer
}

const (
	requests     = 16     // to S3 at once
	askedAlone   = 200    // objects that are asked for one by one; more are listed
	listedInTurn = 20_000 // objects that one listing goes through before folders are listed side by side
)

func newBucket(r *repository, remote, where string) (*bucket, error) {
	held := r.settings.remotes[remote]
	name, prefix, _ := strings.Cut(where, "/")
	if prefix = strings.Trim(prefix, "/"); prefix != "" {
		prefix += "/"
	}
	endpoint := held["endpointurl"]
	lookup := minio.BucketLookupPath
	if endpoint == "" {
		endpoint, lookup = "https://s3.amazonaws.com", minio.BucketLookupAuto
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		f := sdk.Fail("invalid_config", "the endpointurl of the remote %s is no URL of a server", remote)
		f.Remedy = "dvc remote modify " + remote + " endpointurl corrects it"
		return nil, f
	}
	keys, err := r.keys(remote)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: r.config.ConnectTimeout}).DialContext,
		TLSHandshakeTimeout:   r.config.ConnectTimeout,
		ResponseHeaderTimeout: 3 * r.config.ConnectTimeout,
		MaxIdleConnsPerHost:   requests,
		IdleConnTimeout:       30 * time.Second,
	}
	if verify := held["ssl_verify"]; verify != "" && !yes(verify) {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // as the remote's configuration says
	}
	r.closing = append(r.closing, transport.CloseIdleConnections)
	region := held["region"]
	if region == "" && lookup == minio.BucketLookupPath {
		region = "us-east-1"
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: keys, Secure: u.Scheme == "https", Region: region, BucketLookup: lookup, Transport: transport, MaxRetries: 1,
	})
	if err != nil {
		return nil, sdk.Fail("invalid_config", "the remote %s: %v", remote, err)
	}
	return &bucket{
		client: client, name: name, prefix: prefix, remote: remote,
		backend:  reach.Backend{Name: "the remote " + remote, Host: u.Hostname(), Address: u.Host},
		patience: 3 * r.config.ConnectTimeout, inTurn: listedInTurn,
	}, nil
}

// keys finds the credentials of a remote where DVC would: in its configuration,
// the environment, the shared file.
func (r *repository) keys(remote string) (*credentials.Credentials, error) {
	held, env := r.settings.remotes[remote], r.config.Env
	if yes(held["allow_anonymous_login"]) {
		return credentials.NewStaticV4("", "", ""), nil
	}
	if held["access_key_id"] != "" {
		return credentials.NewStaticV4(held["access_key_id"], held["secret_access_key"], held["session_token"]), nil
	}
	profile := held["profile"]
	if profile == "" && env["AWS_ACCESS_KEY_ID"] != "" {
		return credentials.NewStaticV4(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], env["AWS_SESSION_TOKEN"]), nil
	}
	if profile == "" {
		profile = env["AWS_PROFILE"]
	}
	file := held["credentialpath"]
	if file == "" {
		file = env["AWS_SHARED_CREDENTIALS_FILE"]
	}
	if file != "" {
		file = within(filepath.Join(r.dir, ".dvc"), file)
	}
	shared := credentials.NewFileAWSCredentials(file, profile)
	if value, err := shared.GetWithContext(nil); err != nil || value.AccessKeyID == "" {
		f := sdk.Fail("no_credentials", "no key is known for the remote %s", remote)
		f.Remedy = "set credentials in the provider block, or its profile in DVC's configuration"
		return nil, f
	}
	return shared, nil
}

func (b *bucket) key(o object) string { return b.prefix + o.path() }

// sizes asks for a few objects one by one, and lists the folders of many.
func (b *bucket) sizes(ctx context.Context, objects []object) (map[object]int64, error) {
	if len(objects) == 0 {
		return map[object]int64{}, b.there(ctx)
	}
	if len(objects) > askedAlone {
		return b.listed(ctx, objects)
	}
	if err := b.there(ctx); err != nil {
		return nil, err
	}
	found := make(map[object]int64, len(objects))
	var mu sync.Mutex
	failures := batch.Run(ctx, requests, objects, func(o object) error {
		info, err := b.client.StatObject(ctx, b.name, b.key(o), minio.StatObjectOptions{})
		switch {
		case err == nil:
			mu.Lock()
			defer mu.Unlock()
			found[o] = info.Size
		case minio.ToErrorResponse(err).Code != "NoSuchKey":
			return b.failure(ctx, err)
		}
		return nil
	})
	if len(failures) > 0 {
		return nil, ended(ctx, failures[0], "asking the remote "+b.remote)
	}
	return found, nil
}

// there refuses a bucket that is gone: nothing in it is not known to be lost.
func (b *bucket) there(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for info := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, MaxKeys: 1}) {
		return b.failure(ctx, info.Err)
	}
	return nil
}

// listed finds many objects by listing: one page after the other as long as
// there are not many, then the folders that are left, some at a time.
func (b *bucket) listed(ctx context.Context, objects []object) (map[object]int64, error) {
	wanted := make(map[string]object, len(objects))
	var folders []string
	for _, o := range objects {
		key := b.key(o)
		wanted[key] = o
		folders = append(folders, key[:strings.LastIndexByte(key, '/')+1])
	}
	slices.Sort(folders)
	folders = slices.Compact(folders)
	found := make(map[object]int64, len(objects))
	var mu sync.Mutex
	walk := func(ctx context.Context, prefix string, most int) (last string, err error) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		seen := 0
		for info := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
			if info.Err != nil {
				return "", b.failure(ctx, info.Err)
			}
			if o, ok := wanted[info.Key]; ok {
				mu.Lock()
				found[o] = info.Size
				mu.Unlock()
			}
			if seen++; seen == most {
				return info.Key, nil
			}
		}
		return "", nil
	}
	last, err := walk(ctx, commonPrefix(folders[0], folders[len(folders)-1]), b.inTurn)
	if err == nil && last != "" {
		left := slices.DeleteFunc(folders, func(folder string) bool { return folder < last && !strings.HasPrefix(last, folder) })
		failures := batch.Run(ctx, requests, left, func(folder string) error {
			_, err := walk(ctx, folder, -1)
			return err
		})
		if len(failures) > 0 {
			err = failures[0]
		}
	}
	if ctx.Err() != nil {
		return nil, cut(ctx, "listing the remote "+b.remote)
	}
	return found, err
}

// commonPrefix is what two names begin with alike.
func commonPrefix(a, b string) string {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return a[:n]
}

func (b *bucket) list(ctx context.Context) (map[object]int64, error) {
	found := map[object]int64{}
	for info := range b.client.ListObjects(ctx, b.name, minio.ListObjectsOptions{Prefix: b.prefix, Recursive: true}) {
		if info.Err != nil {
			return nil, b.failure(ctx, info.Err)
		}
		name := strings.TrimPrefix(info.Key, b.prefix)
		rest, current := strings.CutPrefix(name, "files/md5/")
		o := object{strings.Replace(rest, "/", "", 1), !current}
		if objectHash.MatchString(o.hash) && o.path() == name {
			found[o] = info.Size
		}
	}
	if ctx.Err() != nil {
		return nil, cut(ctx, "listing the remote "+b.remote)
	}
	return found, nil
}

func (b *bucket) read(ctx context.Context, o object) ([]byte, error) {
	object, err := b.client.GetObject(ctx, b.name, b.key(o), minio.GetObjectOptions{})
	if err != nil {
		return nil, b.failure(ctx, err)
	}
	defer func() { _ = object.Close() }()
	content, err := io.ReadAll(object)
	if minio.ToErrorResponse(err).Code == "NoSuchKey" {
		return nil, fmt.Errorf("%s: %w", o.hash, fs.ErrNotExist)
	}
	return content, b.failure(ctx, err)
}

func (b *bucket) write(ctx context.Context, o object, file string) error {
	_, err := b.client.FPutObject(ctx, b.name, b.key(o), file, minio.PutObjectOptions{})
	var said minio.ErrorResponse
	if err == nil || errors.As(err, &said) && said.StatusCode < http.StatusInternalServerError {
		return b.failure(ctx, err)
	}
	return batch.Lost(b.failure(ctx, err)) // it was sent, and nobody said what became of it
}

// failure types an error of S3; nil stays nil.
func (b *bucket) failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return cut(ctx, "asking the remote "+b.remote)
	}
	said := minio.ToErrorResponse(err)
	f := &schema.Failure{Message: fmt.Sprintf("the remote %s at %s: %s", b.remote, b.backend.Address, said.Message)}
	switch said.Code {
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "ExpiredToken", "AuthorizationHeaderMalformed":
		f.Code, f.Remedy = "authentication_failed", "correct credentials in the provider block, or in DVC's configuration, which comes first"
	case "AccessDenied", "AllAccessDisabled":
		f.Code, f.Remedy = "permission_denied", "let the key list, read and write the bucket "+b.name
	case "NoSuchBucket":
		f.Code, f.Remedy = "remote_not_found", "make the bucket "+b.name+", or correct the remote's url"
	case "SlowDown", "ServiceUnavailable", "XMinioServerNotInitialized", "InternalError":
		f.Code, f.Remedy, f.Retryable = "remote_unavailable", "see the server's log, then try again", true
	default:
		var dial *net.OpError
		var untrusted *tls.CertificateVerificationError
		switch {
		case errors.As(err, &dial) && dial.Op == "dial", errors.As(err, &untrusted), reach.TimedOut(ctx, err):
			return b.backend.Unreached(ctx, err, b.patience)
		case reach.IsLost(err):
			return b.backend.Lost(err)
		}
		f.Code, f.Remedy = "remote_error", "see the server's log"
	}
	return f
}
