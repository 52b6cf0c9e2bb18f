package sdktest

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/runbook-engine/runbook/providers/schema"
	"github.com/runbook-engine/runbook/providers/sdk"
)

// Proof is what Prove has to know of a provider and of the real backend behind
// it.
type Proof struct {
	// Provider makes it anew, as TestMain hands it to Serve.
	Provider func() *sdk.Provider
	// Config reaches the backend. Its sensitive texts, and Secrets, must turn up
	// nowhere.
	Config  map[string]any
	Secrets []string
	// World is all in the backend that an operation could change, as cmp.Diff
	// compares it. Leave out what changes by itself, such as times, and what a
	// keyed action remembers its keys by.
	World func(testing.TB) any
	// Broken are backends that cannot serve; dead, blackholed and of wrong
	// credentials at least, where there are any.
	Broken []Broken

	// Each probe and each action of the provider has a line at least; an
	// operation that matters in several ways has several.
	Probes  []ProbeProof
	Actions []ActionProof
}

// Broken is a backend that cannot serve. Every operation has to fail with Code,
// and a remedy, having changed nothing.
type Broken struct {
	Name     string         // such as "wrong credentials"
	Config   map[string]any // laid over the proof's
	Code     string         // which no other broken backend's may equal
	Patience time.Duration  // the operation's timeout; 0: its own patience is short enough
	Spares   []string       // operations that do not come to what is broken
	// PreviewSpares are actions that come to what is broken, and their previews do
	// not.
	PreviewSpares []string
	// Uncertain says that of an action nobody knows: a request was sent, and what
	// swallowed it did not say what it did with it.
	Uncertain bool
	// Args are an operation's arguments that lead to what is broken, where it is
	// not the configuration that does; nil: the operation's own.
	Args func(name string, args map[string]any) map[string]any
}

func (b Broken) args(name string, args map[string]any) map[string]any {
	if b.Args == nil {
		return args
	}
	return b.Args(name, args)
}

// ProbeProof is one call of a probe.
type ProbeProof struct {
	Name    string
	Setup   func(testing.TB) // brings the backend to where the probe answers; nil: nothing to do
	Args    map[string]any
	Answers bool // of a broken backend it answers "no" instead of failing
	Refused []Refused
}

// ActionProof is one call of an action.
type ActionProof struct {
	Name string
	// Setup brings the backend to where there is work to do. It is called time
	// and again; what the backend remembers keys by it leaves alone.
	Setup    func(testing.TB)
	Args     map[string]any
	Options  []Option        // such as Answers
	Class    schema.Settling // how Describe says that an unknown outcome is settled
	Destroys bool            // whether Describe calls it destructive
	Unseen   bool            // what it does shows nowhere in World
	Fails    string          // the code of an action that is there to fail
	// Did is what the action did, in the units that it counts, measured in its
	// result or in the backend; nil: the result's numbers of the units' names.
	Did func(t testing.TB, result map[string]any) schema.Impact
	// Estimates are the units that the preview does not count.
	Estimates []string
	Slow      *Slow // nil: it is over at once
	// Refused are calls that must fail clean.
	Refused []Refused
}

// Slow is a call of the action that keeps the backend at work for so long that
// it can be cut in the middle.
type Slow struct {
	Setup   func(testing.TB) // nil: the action's
	Args    map[string]any
	Working func(testing.TB) bool // whether the backend is at work for it
}

// Refused is a call that cannot succeed: what it names is not there, say.
type Refused struct {
	Setup func(testing.TB) // nil: the operation's
	Args  map[string]any
	Code  string
}

// Prove holds a provider to its promises, through a real process and against a
// real backend, in subtests named after the operations. See the package's doc.
func Prove(t *testing.T, proof Proof) {
	t.Helper()
	p := &prover{Proof: proof, schema: proof.Provider().Schema()}
	p.secrets = append(sensitive(p.schema.Config, proof.Config), proof.Secrets...)
	for _, b := range proof.Broken {
		p.secrets = append(p.secrets, sensitive(p.schema.Config, b.Config)...)
	}
	p.complete(t)
	p.main = p.session(t, nil)
	for _, probe := range proof.Probes {
		t.Run("probe "+probe.Name, func(t *testing.T) { p.probe(t, probe) })
	}
	for _, action := range proof.Actions {
		t.Run("action "+action.Name, func(t *testing.T) { p.action(t, action) })
	}
	for _, broken := range proof.Broken {
		t.Run(broken.Name, func(t *testing.T) { p.broken(t, broken) })
	}
}

type prover struct {
	Proof
	schema  *schema.Provider
	secrets []string
	main    *session // the process of all calls that are not to be cut
}

// shared is that process, for a subtest: as in a run, one process answers many
// calls.
func (p *prover) shared(t *testing.T) *session {
	p.main.t, p.main.Harness.t = t, t
	return p.main
}

// complete finds what the proof leaves out.
func (p *prover) complete(t *testing.T) {
	t.Helper()
	for _, op := range p.schema.Operations {
		named := slices.ContainsFunc(p.Probes, func(c ProbeProof) bool { return c.Name == op.Name })
		if op.Kind == schema.Action {
			named = slices.ContainsFunc(p.Actions, func(c ActionProof) bool { return c.Name == op.Name })
		}
		if !named {
			t.Errorf("nothing is proved of %s %s", op.Kind, op.Name)
		}
	}
	codes := map[string]string{}
	for _, b := range p.Broken {
		if other, twice := codes[b.Code]; twice {
			t.Errorf("%s and %s cannot be told apart: both are %s", b.Name, other, b.Code)
		}
		codes[b.Code] = b.Name
	}
}

// unchanged runs something that must change nothing.
func (p *prover) unchanged(t *testing.T, what string, run func()) {
	t.Helper()
	before := p.World(t)
	run()
	if diff := cmp.Diff(before, p.World(t)); diff != "" {
		t.Errorf("%s changed something (-before +after):\n%s", what, diff)
	}
}

func (p *prover) probe(t *testing.T, c ProbeProof) {
	setup(t, c.Setup)
	s := p.shared(t)
	p.unchanged(t, "the probe", func() {
		o := s.observe(c.Name, c.Args)
		if o.State != schema.Done {
			t.Errorf("it could not look: %s", told(o))
			return
		}
		if seen, ok := Go(t, o.Result).(map[string]any); ok {
			p.asByHand(t, c, seen)
		}
	})
	for _, r := range c.Refused {
		setup(t, r.Setup)
		p.unchanged(t, "the refused probe", func() { refused(t, s.observe(c.Name, r.Args), r.Code) })
	}
}

func setup(t testing.TB, steps ...func(testing.TB)) {
	t.Helper()
	for _, step := range steps {
		if step != nil {
			step(t)
			return
		}
	}
}

// refused checks a failure after which nothing may have changed.
func refused(t *testing.T, o schema.Outcome, code string) {
	t.Helper()
	switch {
	case o.State != schema.FailedClean || o.Failure == nil || o.Failure.Code != code:
		t.Errorf("it is not failed_clean %s: %s", code, told(o))
	case o.Failure.Message == "":
		t.Errorf("%s says nothing", code)
	case o.Failure.Remedy == "" && o.Failure.Argument == "":
		t.Errorf("%s names neither a remedy nor the argument that is wrong: %s", code, o.Failure.Message)
	}
}

func (p *prover) broken(t *testing.T, b Broken) {
	s := p.session(t, b.Config)
	var opts []Option
	for _, c := range p.Probes {
		if slices.Contains(b.Spares, c.Name) {
			continue
		}
		setup(t, c.Setup)
		p.unchanged(t, c.Name, func() {
			o := s.observe(c.Name, b.args(c.Name, c.Args), b.patience(opts)...)
			if !c.Answers {
				t.Run("probe "+c.Name, func(t *testing.T) { refused(t, o, b.Code) })
				return
			}
			if held, ok := Go(t, o.Result).(map[string]any); o.State != schema.Done || !ok || held["ok"] != false {
				t.Errorf("%s does not answer no: %s", c.Name, told(o))
			} else if reason, has := held["reason"]; has && reason != b.Code {
				t.Errorf("%s answers no for the reason %q, not %q", c.Name, reason, b.Code)
			}
			config := maps.Clone(p.Config)
			maps.Copy(config, b.Config)
			if result, _ := p.byHand(t, config, c.Name, b.args(c.Name, c.Args)); result["ok"] == true {
				t.Errorf("by hand %s answers yes: %v", c.Name, result)
			}
		})
	}
	for _, c := range p.Actions {
		if slices.Contains(b.Spares, c.Name) {
			continue
		}
		setup(t, c.Setup)
		p.unchanged(t, c.Name, func() {
			t.Run("action "+c.Name, func(t *testing.T) {
				args := b.args(c.Name, c.Args)
				if d := s.describe(c.Name, args); d.Failure != nil {
					t.Errorf("Describe needs the backend: %v", d.Failure)
				}
				if p.schema.Operation(schema.Action, c.Name).Previews && !slices.Contains(b.PreviewSpares, c.Name) {
					d := s.preview(c.Name, args, b.patience(c.Options)...)
					refused(t, schema.Outcome{State: schema.FailedClean, Failure: d.Failure}, b.Code)
				}
				o := s.act(c.Name, args, b.patience(c.Options)...)
				if b.Uncertain && o.State == schema.Unknown {
					o.State = schema.FailedClean // as far as it is a failure with a code and a remedy
				}
				refused(t, o, b.Code)
			})
		})
	}
}

func (b Broken) patience(opts []Option) []Option {
	if b.Patience == 0 {
		return opts
	}
	return append(slices.Clone(opts), Deadline(time.Now().Add(b.Patience)))
}
