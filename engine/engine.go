// Package engine is the façade that a program uses: Validate, Plan, Apply,
// Resume, Check. It wires the packages below it together and holds no rules of
// its own.
package engine

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/runbook-engine/runbook/engine/clock"
	"github.com/runbook-engine/runbook/engine/eval"
	"github.com/runbook-engine/runbook/engine/host"
	"github.com/runbook-engine/runbook/engine/plan"
	"github.com/runbook-engine/runbook/engine/redact"
	"github.com/runbook-engine/runbook/engine/runbook"
	"github.com/runbook-engine/runbook/engine/store"
	"github.com/runbook-engine/runbook/providers/schema"
)

// Options is what an Engine needs of the program around it.
type Options struct {
	Catalog    host.Catalog
	Executable string // this program, which serves the bundled providers
	Version    string
	StoreDir   string // empty: that of the runbook, or of the working directory
	Logger     hclog.Logger
	SearchPath []string // folders with third-party providers
	LockFile   string   // runbook.lock.hcl; empty: none
}

// Engine plans and runs runbooks. It is safe for concurrent use; each call
// starts the providers it needs and has ended them when it returns.
type Engine struct {
	opts  Options
	clock clock.Clock
}

// New makes an Engine. It reads and starts nothing.
func New(opts Options) *Engine {
	if opts.Logger == nil {
		opts.Logger = hclog.NewNullLogger()
	}
	return &Engine{opts: opts, clock: clock.Real{}}
}

// Inputs are where the values of variables come from.
type Inputs struct {
	Environment string
	VarFiles    []string
	Vars        []string // name=value
	Environ     func(string) (string, bool)
	Recorded    map[string]cty.Value // what a run on record was started with
}

// Validate loads a runbook and checks it against the schemas of its providers.
// It starts no process. The runbook is nil where the file cannot be parsed.
func (e *Engine) Validate(ctx context.Context, file string) (*runbook.Runbook, hcl.Diagnostics) {
	rb, diags := runbook.Load(file)
	if rb == nil {
		return nil, diags
	}
	h := e.newHost(rb.Dir, redact.New())
	defer h.Close()
	diags = append(diags, runbook.Validate(rb, schemas{ctx, h})...)
	runbook.SortDiagnostics(rb, diags)
	return rb, diags
}

// schemas answers runbook.Validate, which knows no contexts.
type schemas struct {
	ctx  context.Context // of the one call of Validate
	host *host.Host
}

func (s schemas) Schema(provider string) (*schema.Provider, error) {
	return s.host.Schema(s.ctx, provider)
}

func (e *Engine) newHost(dir string, redactor *redact.Redactor) *host.Host {
	return host.New(host.Options{
		Catalog: e.opts.Catalog, Executable: e.opts.Executable, SearchPath: e.opts.SearchPath,
		LockFile: e.opts.LockFile, Redactor: redactor, Logger: e.opts.Logger, Dir: dir,
	})
}

// Store opens the store of runs of the working directory.
func (e *Engine) Store() (*store.Store, error) {
	dir := e.opts.StoreDir
	if dir == "" {
		working, err := os.Getwd()
		if err != nil {
			return nil, fmt.Errorf("find the store: %w", err)
		}
		dir = store.Find(working)
	}
	return store.Open(dir)
}

// StoreOf opens the store that runs of a runbook are kept in, wherever they are
// begun.
func (e *Engine) StoreOf(rb *runbook.Runbook) (*store.Store, error) {
	dir := e.opts.StoreDir
	if dir == "" {
		dir = store.FindFor(rb.File)
	}
	return store.Open(dir)
}

// session is one call's view of a runbook: its values, its providers, and where
// its runs are kept.
type session struct {
	store    *store.Store
	storeErr error // why there is no store: no reason not to look
	frame    *eval.Frame
	run      eval.Run
	host     *host.Host
	redactor *redact.Redactor
}

func (s *session) Close() error { return s.host.Close() }

// open evaluates variables and provider configurations for a new run. The
// session must be closed.
func (e *Engine) open(ctx context.Context, rb *runbook.Runbook, in Inputs) (*session, hcl.Diagnostics) {
	st, err := e.StoreOf(rb)
	id := store.NewID()
	if err == nil {
		id = st.NextID()
	}
	s, diags := e.openRun(ctx, rb, in, id, e.clock.Now())
	if s != nil {
		s.store, s.storeErr = st, err
	}
	return s, diags
}

// openRun is open for a run that has an ID and a beginning already.
func (e *Engine) openRun(ctx context.Context, rb *runbook.Runbook, in Inputs, id string, started time.Time) (*session, hcl.Diagnostics) {
	environ := in.Environ
	if environ == nil {
		environ = os.LookupEnv
	}
	run := eval.Run{ID: id, StartedAt: started, Operator: operator(), Environment: in.Environment}
	frame, diags := eval.Link(ctx, rb, eval.Sources{Environ: environ, Environment: in.Environment, VarFiles: in.VarFiles, Vars: in.Vars, Recorded: in.Recorded}, run)
	if diags.HasErrors() {
		return nil, diags
	}
	s := &session{frame: frame, run: run, redactor: redact.New()}
	s.host = e.newHost(rb.Dir, s.redactor)
	for _, f := range frame.All() {
		for _, v := range f.Variables {
			s.redactor.AddSensitive(v)
		}
		diags = append(diags, s.configure(ctx, f)...)
		s.learn(ctx, f)
	}
	if diags.HasErrors() {
		s.Close()
		return nil, diags
	}
	return s, diags
}

// configure evaluates the configuration of every provider that a frame uses.
func (s *session) configure(ctx context.Context, f *eval.Frame) hcl.Diagnostics {
	scope := eval.New(f.Runbook, f.Variables, s.run, nil)
	var diags hcl.Diagnostics
	for ref, op := range f.Runbook.Operations() {
		provider, err := s.host.Schema(ctx, op.Provider)
		if err != nil {
			diags = append(diags, &hcl.Diagnostic{
				Severity: hcl.DiagError, Summary: "Provider not available", Detail: err.Error(), Subject: op.Range.Ptr(),
			})
			continue
		}
		body := hcl.EmptyBody()
		if p := f.Runbook.Providers[ref]; p != nil {
			body = p.Body
		}
		config, found := scope.Body(ctx, body, provider.Config, eval.Extra{})
		diags = append(diags, found...)
		if !found.HasErrors() {
			s.host.Configure(f.Ref(ref), op.Provider, config)
		}
	}
	return diags
}

// PlanOptions is what Plan may be told.
type PlanOptions struct {
	Offline  bool
	Only     []string // steps, with all that comes before them
	Force    []string
	Progress func(step string)

	Out      string                  // a file to save the plan in; empty: none
	ValidFor time.Duration           // how long the saved plan can become a run
	Saved    func(saved *plan.Saved) // told once it is in the file
}

// Plan looks at the systems and says what apply would do. It changes nothing.
func (e *Engine) Plan(ctx context.Context, rb *runbook.Runbook, in Inputs, opts PlanOptions) (*plan.Plan, hcl.Diagnostics) {
	s, diags := e.open(ctx, rb, in)
	if diags.HasErrors() {
		return nil, diags
	}
	defer s.Close()
	if s.storeErr != nil {
		diags = append(diags, &hcl.Diagnostic{
			Severity: hcl.DiagWarning, Summary: "The runs on record cannot be read",
			Detail: fmt.Sprintf("So this plan does not know whether another run is in the way, and apply will refuse to begin: %s.", s.storeErr),
		})
	}
	p, err := e.plan(ctx, s, opts)
	if err != nil {
		return nil, append(diags, failure("The plan could not be made", err))
	}
	if opts.Out != "" {
		saved, err := e.save(ctx, s, p, opts)
		if err != nil {
			return nil, append(diags, failure("The plan could not be saved", err))
		}
		opts.Saved(saved)
	}
	return p, diags
}

func (e *Engine) plan(ctx context.Context, s *session, opts PlanOptions) (*plan.Plan, error) {
	only, err := target(s.frame.Runbook, opts.Only)
	if err == nil {
		err = forced(s.frame.Runbook, opts.Force, only)
	}
	if err != nil {
		return nil, err
	}
	locked := e.locked(s)
	refused := ""
	if locked != nil {
		refused = locked([]schema.Effect{store.RunbookName(s.frame.Runbook.Name)})
	}
	var backend plan.Backend = s.host
	if opts.Offline {
		backend = s.host.Offline()
	}
	p, err := plan.Make(ctx, s.frame, plan.Options{
		Run: s.run, Backend: backend, Schemas: s.host, Offline: opts.Offline,
		Only: only, Force: set(opts.Force), Progress: opts.Progress, Locked: locked, Refused: refused,
	})
	if err == nil && p.Outcome == plan.Changes {
		p.Estimate = s.estimate(p)
	}
	return p, err
}

// earlierRuns is how many runs an estimate is learned from at most.
const earlierRuns = 20

// estimate is how long a plan should take. It is a courtesy: a store that cannot
// be read is no reason not to plan.
func (s *session) estimate(p *plan.Plan) *plan.Estimate {
	if s.store == nil {
		return nil
	}
	earlier, err := s.store.Durations(s.frame.Runbook.Name, earlierRuns)
	if err != nil {
		return nil
	}
	return plan.Foresee(s.frame.Runbook, p, earlier)
}

// locked tells a plan which other run holds what a step would write.
func (e *Engine) locked(s *session) func([]schema.Effect) string {
	if s.store == nil {
		return nil
	}
	where := ""
	if here, err := e.Store(); err != nil || here.Dir() != s.store.Dir() {
		where = "; that run is in another store than this directory's: RUNBOOK_STORE=" + s.store.Dir()
	}
	return func(effects []schema.Effect) string {
		err := s.store.Held(s.run.ID, effects)
		var locked *store.LockedError
		if errors.As(err, &locked) {
			return locked.Error() + where
		}
		return ""
	}
}

// Check looks at the named checks, or at all that the file declares or uses,
// side by side, each within its own time.
func (e *Engine) Check(ctx context.Context, rb *runbook.Runbook, names []string, in Inputs) ([]plan.Check, hcl.Diagnostics) {
	s, diags := e.open(ctx, rb, in)
	if diags.HasErrors() {
		return nil, diags
	}
	defer s.Close()
	checks, err := plan.LookAt(ctx, s.frame, names, plan.Options{Run: s.run, Backend: s.host, Schemas: s.host}, e.clock)
	if err != nil {
		return nil, append(diags, failure("The checks could not be looked at", err))
	}
	return checks, diags
}

func failure(summary string, err error) *hcl.Diagnostic {
	return &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: err.Error()}
}
