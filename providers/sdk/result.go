package sdk

import "fmt"

// Result is what every probe and action answers. Embed it in the struct that
// holds the operation's own fields.
type Result struct {
	OK      bool   `runbook:"ok" doc:"Whether all is as it should be."`
	Summary string `runbook:"summary" doc:"What was seen or done, in one sentence."`
}

// Reporter is satisfied by structs that embed Result, and by nothing else.
type Reporter interface{ report() Result }

func (r Result) report() Result { return r }

// OK is a good result.
func OK(format string, args ...any) Result {
	return Result{OK: true, Summary: fmt.Sprintf(format, args...)}
}

// NotOK is a probe's answer of "no". An action that answers it counts as
// failed, something may have changed.
func NotOK(format string, args ...any) Result {
	return Result{Summary: fmt.Sprintf(format, args...)}
}
