// Package host finds, verifies, starts and supervises provider processes, and
// is the one door between the engine and them: marks come off on the way in and
// are put on again on the way out, and text is scrubbed of secrets. It knows
// nothing of runbooks and decides nothing about steps.
package host

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/providers/schema"
)

// The bounds of patience with a provider.
const (
	startTimeout  = 10 * time.Second // from exec to handshake
	cancelGrace   = 10 * time.Second // from Cancel to the outcome
	exitGrace     = 2 * time.Second  // from the request to end to the end
	maxConcurrent = 8                // calls at once per configuration
)

// Options is what a Host needs.
type Options struct {
	Catalog    Catalog
	Executable string           // started as `EXECUTABLE provider-serve NAME`; empty: this program
	SearchPath []string         // folders with runbook-provider-NAME; nil: DefaultSearchPath
	LockFile   string           // pins third-party providers; empty: the one found from Dir, if any
	Dir        string           // where providers work: the runbook's folder; empty: the working directory
	Redactor   *redact.Redactor // nil: one of its own
	Logger     hclog.Logger     // nil: none
}

// Host runs the providers of one session. It is safe for concurrent use.
type Host struct {
	opts     Options
	redactor *redact.Redactor
	logger   hclog.Logger
	handles  atomic.Int64
	startIn  time.Duration // startTimeout, but in tests
	grace    time.Duration // cancelGrace, but in tests
	autoMTLS bool          // only to be measured against; see docs/adr/0003

	mu        sync.Mutex
	closed    bool
	refs      map[string]*instance
	instances []*instance        // one per distinct configuration
	locks     map[string]*locked // nil: not read yet
}

// New makes a Host. It reads and starts nothing.
func New(opts Options) *Host {
	if opts.Catalog == nil {
		opts.Catalog = noCatalog{}
	}
	if opts.Redactor == nil {
		opts.Redactor = redact.New()
	}
	if opts.Logger == nil {
		opts.Logger = hclog.NewNullLogger()
	}
	if opts.SearchPath == nil {
		opts.SearchPath = DefaultSearchPath(opts.Dir)
	}
	if opts.LockFile == "" {
		opts.LockFile = FindLockFile(opts.Dir)
	}
	return &Host{
		opts: opts, redactor: opts.Redactor, logger: opts.Logger, startIn: startTimeout, grace: cancelGrace,
		refs: map[string]*instance{},
	}
}

// Configure says what ref, such as postgres or postgres.replica, stands for.
// Equal configurations of one provider share one process, which starts at the
// first call. What is sensitive in config becomes known to the Redactor.
func (h *Host) Configure(ref, provider string, config cty.Value) {
	h.redactor.AddSensitive(config)
	config, _ = config.UnmarkDeep()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, known := range h.instances {
		if known.provider == provider && known.config.RawEquals(config) {
			h.refs[ref] = known
			return
		}
	}
	added := newInstance(h, provider, config)
	h.instances = append(h.instances, added)
	h.refs[ref] = added
}

// instance is what ref stands for.
func (h *Host) instance(ref string) (*instance, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, &schema.Failure{Code: "host_closed", Message: "the providers have been ended"}
	}
	if found := h.refs[ref]; found != nil {
		return found, nil
	}
	return nil, &schema.Failure{
		Code: "provider_not_configured", Message: fmt.Sprintf("provider %s is not configured", ref),
	}
}

// handle names a call, once and for all.
func (h *Host) handle() string { return fmt.Sprintf("call-%d", h.handles.Add(1)) }

// Close ends all providers, side by side, and what they have started. It is safe
// to call more than once.
func (h *Host) Close() error {
	h.mu.Lock()
	h.closed = true
	instances := h.instances
	h.mu.Unlock()
	errs := make([]error, len(instances))
	clock.Together(clock.Real{}, len(instances), func(i int) { errs[i] = instances[i].close() })
	return errors.Join(errs...)
}
