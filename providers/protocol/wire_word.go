package protocol

import (
	"github.com/runbook-engine/runbook/providers/protocol/internal/wire"
	"github.com/runbook-engine/runbook/providers/schema"
)

// A word that this side does not know decodes to the cautious one: an unknown
// state, a deletion, settling by a person.

func encodeKind(k schema.Kind) wire.Kind {
	switch k {
	case schema.Probe:
		return wire.Kind_KIND_PROBE
	case schema.Action:
		return wire.Kind_KIND_ACTION
	}
	return wire.Kind_KIND_UNSPECIFIED
}

func decodeKind(w wire.Kind) schema.Kind {
	switch w {
	case wire.Kind_KIND_PROBE:
		return schema.Probe
	case wire.Kind_KIND_ACTION:
		return schema.Action
	}
	return ""
}

func encodeSettling(s schema.Settling) wire.Settling {
	switch s {
	case schema.Manual:
		return wire.Settling_SETTLING_MANUAL
	case schema.Observed:
		return wire.Settling_SETTLING_OBSERVED
	case schema.Keyed:
		return wire.Settling_SETTLING_KEYED
	case schema.Idempotent:
		return wire.Settling_SETTLING_IDEMPOTENT
	}
	return wire.Settling_SETTLING_UNSPECIFIED
}

func decodeSettling(w wire.Settling) schema.Settling {
	switch w {
	case wire.Settling_SETTLING_UNSPECIFIED:
		return ""
	case wire.Settling_SETTLING_OBSERVED:
		return schema.Observed
	case wire.Settling_SETTLING_KEYED:
		return schema.Keyed
	case wire.Settling_SETTLING_IDEMPOTENT:
		return schema.Idempotent
	}
	return schema.Manual
}

func encodeMode(m schema.Mode) wire.Mode {
	switch m {
	case schema.Read:
		return wire.Mode_MODE_READ
	case schema.Write:
		return wire.Mode_MODE_WRITE
	}
	return wire.Mode_MODE_DELETE
}

func decodeMode(w wire.Mode) schema.Mode {
	switch w {
	case wire.Mode_MODE_READ:
		return schema.Read
	case wire.Mode_MODE_WRITE:
		return schema.Write
	}
	return schema.Delete
}

func encodeState(s schema.State) wire.State {
	switch s {
	case schema.Done:
		return wire.State_STATE_DONE
	case schema.FailedClean:
		return wire.State_STATE_FAILED_CLEAN
	case schema.FailedPartial:
		return wire.State_STATE_FAILED_PARTIAL
	case schema.Running:
		return wire.State_STATE_RUNNING
	case schema.Ask:
		return wire.State_STATE_ASK
	}
	return wire.State_STATE_UNKNOWN
}

func decodeState(w wire.State) schema.State {
	switch w {
	case wire.State_STATE_DONE:
		return schema.Done
	case wire.State_STATE_FAILED_CLEAN:
		return schema.FailedClean
	case wire.State_STATE_FAILED_PARTIAL:
		return schema.FailedPartial
	case wire.State_STATE_RUNNING:
		return schema.Running
	case wire.State_STATE_ASK:
		return schema.Ask
	}
	return schema.Unknown
}
