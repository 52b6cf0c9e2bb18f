package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"strings"

	cerrdefs "github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"github.com/runbook-engine/runbook/providers/internal/reach"
	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// failure types an error of a request; nil stays nil, and what is typed already
// stays as it is.
func (e *engine) failure(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	var typed *schema.Failure
	undone, broken := e.unreached(), e.brokenOff()
	switch {
	case errors.As(err, &typed):
		return err
	case ctx.Err() == context.Canceled, errors.Is(err, context.Canceled):
		return sdk.Fail("cancelled", "the request to Docker at %s was cancelled", e.address())
	case undone != nil && !answered(err):
		return e.notConnected(ctx, undone)
	case reach.TimedOut(ctx, err), broken != nil && !answered(err) && reach.TimedOut(ctx, broken):
		return &schema.Failure{
			Code: "timeout", Retryable: true,
			Message: fmt.Sprintf("the Docker engine at %s did not answer in time", e.address()),
			Remedy:  "see the engine's log for what keeps it busy; answer_timeout bounds the wait",
		}
	case answered(err):
		return e.refused(err)
	case broken != nil && reach.IsLost(broken) && e.config.TLSFolder == "":
		return e.backend().Lost(broken)
	case client.IsErrConnectionFailed(err):
		f := e.backend().Unreached(ctx, err, e.config.ConnectTimeout)
		if f.Code == "connection_failed" {
			f.Code, f.Remedy = "tls_failed", "give tls_folder where the engine speaks TLS, and only there"
		}
		return f
	case reach.IsLost(err):
		return e.backend().Lost(err)
	}
	return sdk.Fail("docker_error", "Docker at %s: %s", e.address(), reach.Cause(err))
}

func (e *engine) backend() reach.Backend {
	host, _, err := net.SplitHostPort(e.at.Host)
	if err != nil {
		host = e.at.Host
	}
	return reach.Backend{Name: "the Docker engine", Host: host, Address: e.address()}
}

func (e *engine) notConnected(ctx context.Context, err error) *schema.Failure {
	switch {
	case errors.Is(err, fs.ErrPermission):
		f := sdk.Fail("permission_denied", "this user may not use the Docker engine's socket %s", e.address())
		f.Remedy = "run as a user of the socket's group, which is docker as a rule"
		return f
	case errors.Is(err, fs.ErrNotExist):
		f := sdk.Fail("engine_missing", "there is no Docker engine at %s: the socket does not exist", e.address())
		f.Remedy, f.Retryable = "start the engine, or correct host", true
		return f
	}
	return e.backend().Unreached(ctx, err, e.config.ConnectTimeout)
}

// answered tells whether the error is the engine's own word: then it did not do
// what was asked.
func answered(err error) bool {
	return cerrdefs.IsNotFound(err) || cerrdefs.IsConflict(err) || cerrdefs.IsInvalidArgument(err) || cerrdefs.IsPermissionDenied(err) ||
		cerrdefs.IsUnauthorized(err) || cerrdefs.IsInternal(err) || cerrdefs.IsUnavailable(err) || cerrdefs.IsNotImplemented(err) || cerrdefs.IsFailedPrecondition(err)
}

func (e *engine) refused(err error) *schema.Failure {
	said := strings.TrimPrefix(reach.Cause(err), "Error response from daemon: ")
	f := &schema.Failure{Code: "docker_error", Message: fmt.Sprintf("Docker at %s: %s", e.address(), said), Remedy: "see the engine's log"}
	switch {
	case e.at.Scheme == "tcp" && e.config.TLSFolder == "" && strings.Contains(said, "HTTP request to an HTTPS server"):
		f.Code, f.Remedy = "tls_failed", "the engine speaks TLS there: give tls_folder"
	case cerrdefs.IsNotFound(err):
		f.Code, f.Remedy = "not_found", "correct the name: docker.project and docker.container show what there is"
	case cerrdefs.IsConflict(err):
		f.Code, f.Remedy = "in_use", "stop or remove first what uses it"
	case cerrdefs.IsPermissionDenied(err), cerrdefs.IsUnauthorized(err):
		f.Code, f.Remedy = "permission_denied", "the engine's policy forbids it to this user"
	case cerrdefs.IsInvalidArgument(err):
		f.Code, f.Remedy = "invalid_request", "correct the argument that the engine names"
	case cerrdefs.IsUnavailable(err):
		f.Code, f.Remedy, f.Retryable = "busy", "wait: the engine is starting or stopping", true
	}
	return f
}

// sent types the error of a request that changes something: of one that was not
// answered nobody knows.
func (e *engine) sent(ctx context.Context, err error) error {
	typed := e.failure(ctx, err)
	if err == nil || answered(err) || e.unreached() != nil {
		return typed
	}
	return sdk.Uncertain(typed)
}
