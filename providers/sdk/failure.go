package sdk

import (
	"errors"
	"fmt"

	"github.com/runbook-engine/runbook/providers/schema"
)

// Fail is a typed failure. The code is stable and lower_snake_case, such as
// connection_refused.
func Fail(code, format string, args ...any) *schema.Failure {
	return &schema.Failure{Code: code, Message: fmt.Sprintf(format, args...)}
}

// InvalidArgument is a failure that the named argument is to blame for.
func InvalidArgument(argument, format string, args ...any) *schema.Failure {
	return &schema.Failure{Code: "invalid_argument", Message: fmt.Sprintf(format, args...), Argument: argument}
}

// Clean says that the action failed and certainly changed nothing. Without it
// an action's error means that something may have changed. Clean(nil) is nil.
func Clean(err error) error { return withState(err, schema.FailedClean) }

// Uncertain says that nobody knows what the action did: the connection was lost
// in the middle, say. Uncertain(nil) is nil.
func Uncertain(err error) error { return withState(err, schema.Unknown) }

// Ask stops an action until a person has answered; the engine then calls it
// again with Call.Answers. Without answers to fill in, it is a confirmation.
// An action that asks must not have changed anything yet, and says so by the
// option Asks. It may ask again, where an answer is of no use.
func Ask(question schema.Question) error { return &askError{question} }

type askError struct{ question schema.Question }

func (e *askError) Error() string { return e.question.Message }

// stateError is an error whose author knows how far the action got.
type stateError struct {
	err   error
	state schema.State
}

func withState(err error, state schema.State) error {
	if err == nil {
		return nil
	}
	return &stateError{err, state}
}

func (e *stateError) Error() string { return e.err.Error() }

func (e *stateError) Unwrap() error { return e.err }

// failureOf is the typed failure within err, made where there is none.
func failureOf(err error) *schema.Failure {
	var f *schema.Failure
	if errors.As(err, &f) {
		if wrapped := err.Error(); wrapped != f.Error() {
			copied := *f
			copied.Message, copied.Remedy = wrapped, ""
			return &copied
		}
		return f
	}
	return &schema.Failure{Code: "failed", Message: err.Error()}
}

// outcome turns an answer into the final word; fallback is the state of an
// error that says nothing of its own.
func (a answer) outcome(fallback schema.State) schema.Outcome {
	if a.err == nil {
		return schema.Outcome{State: schema.Done, Result: a.value}
	}
	var ask *askError
	if errors.As(a.err, &ask) {
		return schema.Outcome{State: schema.Ask, Question: &ask.question}
	}
	o := schema.Outcome{State: fallback, Result: a.value, Failure: failureOf(a.err)}
	var known *stateError
	if errors.As(a.err, &known) {
		o.State = known.state
	}
	return o
}
