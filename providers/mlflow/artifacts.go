package mlflow

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// artifact is a file below a root.
type artifact struct {
	Path  string `json:"path" runbook:"path" doc:"Path below the root."`
	Dir   bool   `json:"is_dir" runbook:"is_dir" doc:"Always false: folders are looked into."`
	Bytes int64  `json:"file_size" runbook:"bytes" doc:"Its size."`
}

// root is where the artifacts of a run or a logged model are. One server can mix
// roots that go through it with those that do not.
type root struct {
	*client
	uri      *url.URL
	listing  string // the API that lists what is there
	query    url.Values
	argument string // its name for the folder to look into
}

// rootOf is the root with this address, listed by that API.
func (c *client) rootOf(address, listing, argument string, query url.Values) (*root, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, unreadable(address)
	}
	return &root{client: c, uri: u, listing: listing, argument: argument, query: query}, nil
}

func (c *client) runRoot(r run) (*root, error) {
	return c.rootOf(r.Info.ArtifactURI, "artifacts/list", "path", url.Values{"run_id": {r.Info.ID}})
}

func (c *client) modelRoot(m model) (*root, error) {
	return c.rootOf(m.Info.ArtifactURI, "logged-models/"+url.PathEscape(m.Info.ID)+"/artifacts/directories", "artifact_directory_path", url.Values{})
}

func unreadable(address string) *schema.Failure {
	f := sdk.Fail("unsupported_root", "artifacts at %s cannot be reached from here", address)
	f.Remedy = "only roots through the server (mlflow-artifacts:) and on S3 (s3://) are supported"
	return f
}

// files are all artifacts below a path, in no order. Where nothing is, there is
// none: MLflow tells an empty folder from a missing one no more than S3 does.
func (r *root) files(ctx context.Context, below string) ([]artifact, error) {
	var files []artifact
	for folders := []string{below}; len(folders) > 0; {
		at := folders[0]
		folders = folders[1:]
		query := url.Values{}
		for name, values := range r.query {
			query[name] = values
		}
		if at != "" {
			query.Set(r.argument, at)
		}
		for {
			var page struct {
				Files []artifact `json:"files"`
				Next  string     `json:"next_page_token"`
			}
			if err := r.get(ctx, r.listing, query, &page); err != nil {
				return nil, err
			}
			for _, one := range page.Files {
				if one.Dir {
					folders = append(folders, one.Path)
				} else {
					files = append(files, one)
				}
			}
			if page.Next == "" {
				break
			}
			query.Set("page_token", page.Next)
		}
		if len(files) > maxListed || len(folders) > maxListed {
			return nil, tooMany("artifacts")
		}
	}
	return files, nil
}

// there tells whether an artifact is listed.
func (r *root) there(ctx context.Context, name string) (bool, error) {
	folder := path.Dir(name)
	if folder == "." {
		folder = ""
	}
	files, err := r.files(ctx, folder)
	for _, one := range files {
		if one.Path == name {
			return true, nil
		}
	}
	return false, err
}

// direct tells whether artifacts are on S3, and not read and written through the
// server.
func (r *root) direct() bool { return r.uri.Scheme == "s3" }

// proxied is the path below the server that an artifact is at.
func (r *root) proxied(name string) (string, error) {
	const route = "/api/2.0/mlflow-artifacts/artifacts/"
	switch r.uri.Scheme {
	case "mlflow-artifacts":
		return route + escaped(strings.Trim(path.Join(r.uri.Path, name), "/")), nil
	case "http", "https":
		if _, below, ok := strings.Cut(r.uri.Path, route); ok {
			return route + escaped(path.Join(below, name)), nil
		}
	}
	return "", unreadable(r.uri.String())
}

// bucket is a client of S3, and the bucket and name of an artifact there.
func (r *root) bucket(name string) (*minio.Core, string, string, error) {
	if r.config.S3Endpoint == "" {
		f := sdk.Fail("no_s3", "the artifacts are at %s, and the provider knows no S3 server", r.uri)
		f.Remedy = "give s3_endpoint, s3_access_key and s3_secret_key in the provider block"
		return nil, "", "", f
	}
	u, err := url.Parse(r.config.S3Endpoint)
	if err != nil {
		return nil, "", "", err
	}
	keys := credentials.NewStatic("", "", "", credentials.SignatureAnonymous)
	if r.config.S3AccessKey != "" {
		keys = credentials.NewStaticV4(r.config.S3AccessKey, r.config.S3SecretKey, "")
	}
	core, err := minio.NewCore(u.Host, &minio.Options{
		Creds: keys, Secure: u.Scheme == "https", Transport: r.http.Transport, Region: r.config.S3Region, MaxRetries: 1,
	})
	if err != nil {
		return nil, "", "", sdk.InvalidArgument("s3_endpoint", "s3_endpoint cannot be used: %v", err)
	}
	return core, r.uri.Host, strings.Trim(path.Join(r.uri.Path, name), "/"), nil
}

// read opens an artifact.
func (r *root) read(ctx context.Context, name string) (io.ReadCloser, error) {
	if r.direct() {
		core, bucket, key, err := r.bucket(name)
		if err != nil {
			return nil, err
		}
		body, _, _, err := core.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
		return body, r.s3Failure(ctx, err, name)
	}
	at, err := r.proxied(name)
	if err != nil {
		return nil, err
	}
	response, err := r.send(ctx, http.MethodGet, at, nil, nil, 0)
	if err != nil {
		return nil, err
	}
	if response.StatusCode == http.StatusOK {
		return response.Body, nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err != nil {
		return nil, err
	}
	refused := r.refused(ctx, response, text)
	if response.StatusCode != http.StatusInternalServerError {
		return nil, refused
	}
	// The server answers so of an object that is not there. Its list knows.
	if listed, err := r.there(ctx, name); err != nil || listed {
		return nil, refused
	}
	return nil, r.lost(name)
}

func (r *root) lost(name string) *schema.Failure {
	f := sdk.Fail("artifact_missing", "the artifact %s does not exist at %s", name, r.uri)
	f.Remedy = "put it back with mlflow.upload_artifacts or mlflow.log_model_files"
	return f
}

// sum is the SHA-256 of an artifact in hex.
func (r *root) sum(ctx context.Context, name string) (string, error) {
	body, err := r.read(ctx, name)
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, body); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// write puts an artifact in its place.
func (r *root) write(ctx context.Context, name string, content io.Reader, size int64) error {
	if r.direct() {
		core, bucket, key, err := r.bucket(name)
		if err != nil {
			return err
		}
		_, err = core.Client.PutObject(ctx, bucket, key, content, size, minio.PutObjectOptions{DisableMultipart: size <= maxPiece})
		return r.s3Failure(ctx, err, name)
	}
	at, err := r.proxied(name)
	if err != nil {
		return err
	}
	return r.put(ctx, at, content, size)
}

// maxPiece is how large an object in one piece may be.
const maxPiece = 5 << 30

func (r *root) put(ctx context.Context, at string, content io.Reader, size int64) error {
	if size == 0 {
		content = http.NoBody // else the length would count as unknown
	}
	response, err := r.send(ctx, http.MethodPut, at, nil, content, size)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(response.Body, answerLimit))
	if err == nil && response.StatusCode != http.StatusOK {
		err = r.refused(ctx, response, text)
	}
	return err
}

// s3Failure types what S3 answered; network errors stay.
func (r *root) s3Failure(ctx context.Context, err error, name string) error {
	said := minio.ToErrorResponse(err)
	if err == nil || said.Code == "" {
		return err
	}
	f := &schema.Failure{Code: "s3_error", Message: fmt.Sprintf("S3 at %s: %s", r.config.S3Endpoint, said.Error()), Remedy: "see minio.bucket and minio.health"}
	switch said.Code {
	case "NoSuchKey":
		f = r.lost(name)
	case "NoSuchBucket":
		f.Code, f.Remedy = "bucket_missing", "make the bucket "+r.uri.Host+", or correct s3_endpoint"
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch":
		f.Code, f.Remedy = "s3_authentication_failed", "correct s3_access_key and s3_secret_key in the provider block"
	}
	return f
}
