package minio

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// failure types an error of a request; nil stays nil, and what is typed already
// stays as it is.
func (s *server) failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var typed *schema.Failure
	var said minio.ErrorResponse
	var dial *net.OpError
	switch {
	case errors.As(err, &typed):
		return err
	case ctx.Err() == context.Canceled, errors.Is(err, context.Canceled):
		return sdk.Fail("cancelled", "the request to MinIO at %s was cancelled", s.host)
	case errors.As(err, &said):
		return s.refused(said)
	case errors.As(err, &dial) && dial.Op == "dial":
		return s.backend().Unreached(ctx, err, s.config.ConnectTimeout)
	case reach.TimedOut(ctx, err):
		return &schema.Failure{
			Code: "timeout", Retryable: true,
			Message: fmt.Sprintf("MinIO at %s did not answer in time", s.host),
			Remedy:  "check that endpoint is right, and see the server's log for what keeps it busy; answer_timeout bounds the wait",
		}
	case strings.HasPrefix(s.site.Endpoint, "https"), strings.Contains(err.Error(), "malformed HTTP response"):
		f := s.backend().Unreached(ctx, err, s.config.ConnectTimeout)
		if f.Code == "connection_failed" {
			f.Code, f.Remedy = "tls_failed", "check whether the server speaks TLS there: correct endpoint"
		}
		return f
	case reach.IsLost(err):
		return s.backend().Lost(err)
	}
	return sdk.Fail("minio_error", "MinIO at %s: %s", s.host, reach.Cause(err))
}

func (s *server) backend() reach.Backend {
	host, _, err := net.SplitHostPort(s.host)
	if err != nil {
		host = s.host
	}
	return reach.Backend{Name: "MinIO", Host: host, Address: s.host}
}

// answered tells whether the error is the server's own word: then it did not do
// what was asked. Of a request that was sent and not answered nobody knows.
func answered(err error) bool {
	var typed *schema.Failure
	var said minio.ErrorResponse
	return errors.As(err, &said) && said.StatusCode != http.StatusGatewayTimeout && said.StatusCode != http.StatusBadGateway ||
		errors.As(err, &typed)
}

// is tells whether the server's word is one of these codes.
func is(err error, codes ...string) bool {
	var said minio.ErrorResponse
	if !errors.As(err, &said) {
		return false
	}
	for _, code := range codes {
		if said.Code == code {
			return true
		}
	}
	return false
}

// refused types what the server answered, by the code that S3 gives each error.
func (s *server) refused(said minio.ErrorResponse) *schema.Failure {
	f := &schema.Failure{Message: fmt.Sprintf("MinIO at %s: %s", s.host, strings.TrimSpace(said.Error()))}
	switch said.Code {
	case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidTokenId", "ExpiredToken", "InvalidToken", "XMinioInvalidAccessKey":
		f.Code, f.Remedy = "authentication_failed", "correct access_key and secret_key in the provider block"
	case "AccessDenied", "AllAccessDisabled", "AccountProblem", "Forbidden":
		f.Code, f.Remedy = "permission_denied", "let the policy of this access key allow it, or use another key"
	case "NoSuchBucket":
		f.Code, f.Message = "bucket_missing", fmt.Sprintf("the bucket %s does not exist on MinIO at %s", said.BucketName, s.host)
		f.Remedy = "correct bucket, or make it with minio.make_bucket"
	case "NoSuchKey":
		f.Code, f.Message = "object_missing", fmt.Sprintf("the object %s/%s does not exist on MinIO at %s", said.BucketName, said.Key, s.host)
		f.Remedy = "correct the object's name; names are case-sensitive"
	case "NoSuchVersion":
		f.Code, f.Remedy = "version_missing", "correct version_id; a lifecycle rule may have removed that version"
	case "RequestTimeTooSkewed":
		f.Code, f.Remedy = "clock_skew", "set this machine's clock, or the server's"
	case "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded":
		f.Code, f.Remedy = "out_of_space", "free some space: see minio.capacity, and minio.remove_older_than"
	case "SlowDownRead", "SlowDownWrite", "XMinioReadQuorum", "XMinioWriteQuorum":
		f.Code, f.Retryable = "no_quorum", true
		f.Remedy = "too few drives answer: see minio.health and minio.capacity"
	case "SlowDown", "ServiceUnavailable", "RequestTimeout", "TooManyRequests", "XMinioServerNotInitialized", "ServerNotInitialized":
		f.Code, f.Retryable, f.Remedy = "busy", true, "wait: the server is overloaded or still starting"
	case "PreconditionFailed":
		f.Code, f.Retryable = "changed_meanwhile", true
		f.Message = fmt.Sprintf("%s/%s was changed by somebody else meanwhile; it was left as it is", said.BucketName, said.Key)
		f.Remedy = "stop the writers first, then try again"
	case "InvalidBucketName":
		f.Code, f.Argument, f.Remedy = "invalid_argument", "bucket", "a bucket's name has 3 to 63 lower-case letters, digits, dots and dashes"
	case "AuthorizationHeaderMalformed", "InvalidRegion", "PermanentRedirect":
		f.Code, f.Remedy = "wrong_region", "correct region in the provider block"
	case "NotImplemented", "MethodNotAllowed", "XMinioAdminNotImplemented":
		f.Code, f.Remedy = "not_supported", "this server does not offer it"
	default:
		f.Code = "minio_error"
		if said.Code != "" {
			f.Message += " (" + said.Code + ")"
		}
	}
	return f
}

// notMinIO is the failure where a server lacks MinIO's own API.
func (s *server) notMinIO(what string) *schema.Failure {
	f := sdk.Fail("not_minio", "the server at %s has no %s", s.host, what)
	f.Remedy = "only MinIO offers it, and only to its administrators; correct endpoint"
	return f
}
