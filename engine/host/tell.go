package host

import (
	"time"

	"github.com/runbook-engine/runbook/providers/schema"
)

// tellStart logs that a process was started for a provider, or why none was.
func (h *Host) tellStart(name string, r *running, began time.Time, err error) {
	logger := h.logger.Named(name)
	if err != nil {
		logger.Warn("the provider did not start", "took", time.Since(began), "error", h.redactor.Text(err.Error()))
		return
	}
	logger.Debug("the provider is ready", "pid", r.process.cmd.Process.Pid, "took", time.Since(began))
}

// tellCall logs that an operation begins and, when what it returns is called,
// that it has ended. Arguments and results are not logged: they may be secret,
// and what came of them is in the record.
func (h *Host) tellCall(r *running, op schema.Operation) (ended func()) {
	logger := h.logger.Named(r.name)
	if !logger.IsDebug() {
		return func() {}
	}
	began := time.Now()
	logger.Debug("the call begins", "operation", op.Name, "call", op.Handle)
	return func() {
		logger.Debug("the call has ended", "operation", op.Name, "call", op.Handle, "took", time.Since(began))
	}
}
