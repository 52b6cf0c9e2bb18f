package protocol

import (
	"errors"
	"fmt"
	"time"

	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
	"github.com/runbook-engine/runbook/providers/schema"
)

func encodeOperation(op schema.Operation) (*wire.Operation, error) {
	arguments, err := encodeValue(op.Arguments)
	if err != nil {
		return nil, fmt.Errorf("arguments of %s: %w", op.Name, err)
	}
	answers, err := encodeValue(op.Answers)
	if err != nil {
		return nil, fmt.Errorf("answers for %s: %w", op.Name, err)
	}
	w := &wire.Operation{
		Name: op.Name, Kind: encodeKind(op.Kind), Arguments: arguments, Unknown: op.Unknown,
		Handle: op.Handle, AttemptLock: op.AttemptLock, Key: op.Key, Limits: op.Limits, Answers: answers,
	}
	if !op.Deadline.IsZero() {
		w.DeadlineUnixNano = op.Deadline.UnixNano()
	}
	return w, nil
}

// decodeOperation gives unmarked values: what is sensitive is the engine's
// business, a provider's author sees plain values.
func decodeOperation(w *wire.Operation) (schema.Operation, error) {
	arguments, err := decodeUnmarked(w.GetArguments())
	if err != nil {
		return schema.Operation{}, fmt.Errorf("arguments of %s: %w", w.GetName(), err)
	}
	answers, err := decodeUnmarked(w.GetAnswers())
	if err != nil {
		return schema.Operation{}, fmt.Errorf("answers for %s: %w", w.GetName(), err)
	}
	op := schema.Operation{
		Name: w.GetName(), Kind: decodeKind(w.GetKind()), Arguments: arguments, Unknown: w.GetUnknown(),
		Handle: w.GetHandle(), AttemptLock: w.GetAttemptLock(), Key: w.GetKey(),
		Limits: w.GetLimits(), Answers: answers,
	}
	if w.GetDeadlineUnixNano() != 0 {
		op.Deadline = time.Unix(0, w.GetDeadlineUnixNano())
	}
	return op, nil
}

func encodeDescription(d schema.Description) *wire.Description {
	w := &wire.Description{
		Undeclared: d.Undeclared, Destructive: d.Destructive, Settling: encodeSettling(d.Settling),
		Command: validUTF8(d.Command), Summary: valid(d.Summary), Impact: d.Impact,
		Sample: validUTF8(d.Sample), Failure: encodeFailure(d.Failure),
	}
	for _, e := range d.Effects {
		w.Effects = append(w.Effects, &wire.Effect{Resource: valid(e.Resource), Mode: encodeMode(e.Mode)})
	}
	return w
}

func decodeDescription(w *wire.Description) (schema.Description, error) {
	for what, n := range map[string]int{
		"effects": len(w.GetEffects()), "words of its command": len(w.GetCommand()),
		"lines of its sample": len(w.GetSample()), "units": len(w.GetImpact()),
	} {
		if n > maxList {
			return schema.Description{}, fmt.Errorf("it describes %d %s, more than %d", n, what, maxList)
		}
	}
	for unit, n := range w.GetImpact() {
		if n < 0 {
			return schema.Description{}, fmt.Errorf("it counts %d %q", n, valid(unit))
		}
	}
	d := schema.Description{
		Undeclared: w.GetUndeclared(), Destructive: w.GetDestructive(), Settling: decodeSettling(w.GetSettling()),
		Command: validUTF8(w.GetCommand()), Summary: valid(w.GetSummary()), Impact: w.GetImpact(),
		Sample: validUTF8(w.GetSample()), Failure: decodeFailure(w.GetFailure()),
	}
	for _, e := range w.GetEffects() {
		d.Effects = append(d.Effects, schema.Effect{Resource: valid(e.GetResource()), Mode: decodeMode(e.GetMode())})
	}
	return d, nil
}

// encodeOutcome never fails: a result that cannot be sent leaves a failure in
// its place, and an action that was done is then one that ended for certain.
func encodeOutcome(o schema.Outcome) *wire.Outcome {
	w := &wire.Outcome{State: encodeState(o.State), Failure: encodeFailure(o.Failure)}
	if o.Question != nil {
		answers, err := encodeObject(o.Question.Answers)
		if err != nil {
			return unsendable(o, "bad_question", fmt.Sprintf("the question cannot be sent: %v", err))
		}
		w.Question = &wire.Question{Message: valid(o.Question.Message), Answers: answers}
	}
	result, err := encodeValue(o.Result)
	var size *sizeError
	switch {
	case errors.As(err, &size):
		return unsendable(o, "result_too_large", fmt.Sprintf("the result cannot be sent: %v", err))
	case err != nil:
		return unsendable(o, "bad_result", fmt.Sprintf("the result cannot be sent: %v", err))
	}
	w.Result = result
	return w
}

func unsendable(o schema.Outcome, code, message string) *wire.Outcome {
	state := o.State
	if state == schema.Done || state == schema.Ask {
		state = schema.FailedPartial
	}
	failure := o.Failure
	if failure == nil {
		failure = &schema.Failure{Code: code, Message: message}
	}
	return &wire.Outcome{State: encodeState(state), Failure: encodeFailure(failure)}
}

func decodeOutcome(w *wire.Outcome) (schema.Outcome, error) {
	result, err := decodeValue(w.GetResult())
	if err != nil {
		return schema.Outcome{}, fmt.Errorf("result: %w", err)
	}
	o := schema.Outcome{State: decodeState(w.GetState()), Result: result, Failure: decodeFailure(w.GetFailure())}
	if q := w.GetQuestion(); q != nil {
		answers, err := decodeObject(q.GetAnswers())
		if err != nil {
			return schema.Outcome{}, fmt.Errorf("question: %w", err)
		}
		o.Question = &schema.Question{Message: valid(q.GetMessage()), Answers: answers}
	}
	return o, nil
}

func encodeFailure(f *schema.Failure) *wire.Failure {
	if f == nil {
		return nil
	}
	return &wire.Failure{
		Code: valid(f.Code), Message: valid(f.Message), Remedy: valid(f.Remedy),
		Retryable: f.Retryable, RetryAfterSeconds: f.RetryAfterSeconds, Argument: valid(f.Argument),
	}
}

func decodeFailure(w *wire.Failure) *schema.Failure {
	if w == nil {
		return nil
	}
	return &schema.Failure{
		Code: valid(w.GetCode()), Message: valid(w.GetMessage()), Remedy: valid(w.GetRemedy()),
		Retryable: w.GetRetryable(), RetryAfterSeconds: seconds(w.GetRetryAfterSeconds()), Argument: valid(w.GetArgument()),
	}
}

// seconds is a time that a backend has said, as far as it can be one.
func seconds(said float64) float64 {
	if !(said > 0) {
		return 0
	}
	return min(said, maxRetryAfter.Seconds())
}

// maxRetryAfter bounds what a backend may ask for.
const maxRetryAfter = 24 * time.Hour
