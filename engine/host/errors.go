package host

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/runbook-engine/runbook/providers/schema"
)

// NotFoundError means that a provider is neither bundled nor installed.
type NotFoundError struct{ Provider string }

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("there is no provider %q: it is not bundled, and %s%s is neither in .runbook/providers, "+
		"$RUNBOOK_PROVIDER_PATH nor PATH", e.Provider, prefix, e.Provider)
}

// NotLockedError means that a third party's provider is installed but nobody
// has said yet that it may be run.
type NotLockedError struct {
	Provider string
	Path     string
}

func (e *NotLockedError) Error() string {
	return fmt.Sprintf("provider %q is at %s but not in %s; if you trust it, pin it with `runbook providers lock %s`",
		e.Provider, e.Path, LockFileName, e.Provider)
}

// LargeError means that an executable is too large to be copied, which it is
// before it is run.
type LargeError struct{ Path string }

func (e *LargeError) Error() string {
	return fmt.Sprintf("%s is larger than %d MiB, the most that a provider's executable may be", e.Path, maxExecutable>>20)
}

// OtherSchemaError means that a provider does not take and give what the lock
// file says.
type OtherSchemaError struct {
	Provider   string
	Locked     string // its version and the digest of its schema, as the lock file has them
	Now        string // likewise, as it says itself
	Difference string // the first
}

func (e *OtherSchemaError) Error() string {
	return fmt.Sprintf("provider %s says that it is %s, and %s pins %s: %s; if you trust it as it is now, run `runbook providers lock %s`",
		e.Provider, e.Now, LockFileName, e.Locked, e.Difference, e.Provider)
}

// ChangedError means that an executable is not the one that was pinned.
type ChangedError struct{ Path, Want, Got string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s is not the file that %s pins: its SHA-256 is %s, pinned is %s; "+
		"if you trust the new one, run `runbook providers lock %s`", e.Path, LockFileName, e.Got, e.Want,
		strings.TrimPrefix(filepath.Base(e.Path), prefix))
}

// CallError is a call that got no answer. It is its Failure, and its cause where
// there is one, such as context.DeadlineExceeded.
type CallError struct {
	Failure *schema.Failure
	Cause   error
}

func (e *CallError) Error() string { return e.Failure.Error() }

// Unwrap gives errors.As the Failure and errors.Is the cause.
func (e *CallError) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Failure}
	}
	return []error{e.Failure, e.Cause}
}
